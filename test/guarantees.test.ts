import { deepEqual, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import * as sluice from 'sluice'
import { postgresSource } from 'sluice/postgres'
import { parquetEncoder } from '../src/connect/formats/parquet/write.ts'
import { type Cut, CutProcess } from '../src/testing/cut-short.ts'
import { OpenEnds } from './support/cut-ends.ts'
import {
  GuaranteedServers,
  guaranteedSinks,
  outOf,
  type Place,
  type Row,
  type SinkFamily,
  urlOf,
} from './support/guaranteed-sinks.ts'
import { missingPostgres } from './support/postgres.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'

const COUNT = 90
const IDS: readonly number[] = Array.from({ length: COUNT }, (_, id) => id)

let pages: Server | undefined
const servers = new GuaranteedServers()
const SINKS = guaranteedSinks(servers)

before(async () => {
  await servers.start()
  pages = createServer((request, response) => {
    const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 0)
    const items = IDS.slice(page * 13, page * 13 + 13).map((id) => ({ id }))
    const next = (page + 1) * 13 < COUNT ? { link: `</?page=${page + 1}>; rel="next"` } : {}
    response.writeHead(200, { 'content-type': 'application/json', ...next }).end(JSON.stringify(items))
  }).listen(0, '127.0.0.1')
  await once(pages, 'listening')
})
after(async () => {
  pages?.close()
  pages?.closeAllConnections()
  await servers.stop()
})

/** A source of rows with all ids, as a run finds it; `turn` counts the runs before. */
interface SourceFamily {
  readonly needsPostgres?: boolean
  /** Makes what is there at first, and changes it between two runs as the guarantee allows. */
  prepare?(place: Place, turn: number): void | Promise<void>
  make(place: Place): sluice.Source<unknown>
  /** Of what never ends by itself: how many records there are in a run. */
  readonly count?: (turn: number) => number
  /** Whether nothing is promised before a first run has committed. */
  readonly needsCommit?: boolean
}

/** The ids of one of three files, each a third of all. */
const thirds = (
  place: Place,
  name: string,
  textOf: (ids: readonly number[]) => string | Uint8Array,
  turn: number,
): void => {
  if (turn > 0) return
  for (const part of [0, 1, 2]) {
    const ids = IDS.slice((part * COUNT) / 3, ((part + 1) * COUNT) / 3)
    writeFileSync(join(place.folder, `${part}${name}`), textOf(ids))
  }
}
const linesOf = (ids: readonly number[]): string => ids.map((id) => `${id}\n`).join('')
const recordsOf = (ids: readonly number[]): string => ids.map((id) => `{"id":${id}}\n`).join('')

const FILES: Readonly<Record<string, SourceFamily>> = {
  lines: {
    prepare: (place, turn) => thirds(place, '.txt.gz', (ids) => gzipSync(linesOf(ids)), turn),
    make: ({ folder }) => sluice.fileSource(`${folder}/*.txt.gz`, sluice.textLines()),
  },
  csv: {
    prepare: (place, turn) => thirds(place, '.csv', (ids) => `id\n${linesOf(ids)}`, turn),
    make: ({ folder }) => sluice.csvSource(`${folder}/*.csv`),
  },
  ndjson: {
    prepare: (place, turn) => thirds(place, '.ndjson', recordsOf, turn),
    make: ({ folder }) => sluice.ndjsonSource(`${folder}/*.ndjson`, { splitBytes: 100 }),
  },
  json: {
    prepare: (place, turn) => thirds(place, '.json', (ids) => JSON.stringify(ids.map((id) => ({ id }))), turn),
    make: ({ folder }) => sluice.jsonArraySource(`${folder}/*.json`),
  },
  parquet: {
    prepare: async ({ folder }, turn) => {
      if (turn > 0) return
      const encoder = await parquetEncoder({ id: 'integer' })
      for (const row of IDS.map((id) => ({ id }))) encoder.add(Object.values(row))
      writeFileSync(join(folder, 'in.parquet'), await encoder.finish())
    },
    make: ({ folder }) => sluice.parquetSource(`${folder}/in.parquet`),
  },
}

const TAILS: Readonly<Record<string, SourceFamily>> = {
  tail: {
    // Half is there, the other half comes after a rotation between two runs.
    prepare: ({ folder }, turn) => {
      const path = join(folder, 'app.log')
      if (turn === 0) writeFileSync(path, linesOf(IDS.slice(0, 50)))
      if (turn !== 1) return
      appendFileSync(path, linesOf(IDS.slice(50, 70)))
      renameSync(path, `${path}.1`)
      writeFileSync(path, linesOf(IDS.slice(70)))
    },
    count: (turn) => (turn === 0 ? 50 : COUNT),
    // What was rotated away before is not looked for.
    needsCommit: true,
    make: ({ folder }) => sluice.tailSource(join(folder, 'app.log'), sluice.textLines(), { pollMs: 5, graceMs: 20 }),
  },
}

/** Rows that were there, and such that came behind them. */
const inserts = (turn: number): string => {
  const ids = turn === 0 ? IDS.slice(0, 60) : IDS.slice(60)
  return `insert into rows (id) values ${ids.map((id) => `(${id})`).join(', ')}`
}
const QUERIES: Readonly<Record<string, SourceFamily>> = {
  sqliteSource: {
    prepare: ({ folder }, turn) => {
      const db = new DatabaseSync(join(folder, 'in.db'))
      if (turn === 0) db.exec('create table rows (id integer primary key)')
      if (turn < 2) db.exec(inserts(turn))
      db.close()
    },
    make: ({ folder }) => sluice.sqliteSource(join(folder, 'in.db'), { table: 'rows', cursor: 'id' }),
  },
  postgresSource: {
    needsPostgres: true,
    prepare: async ({ database }, turn) => {
      if (turn === 0) await servers.postgres.query(database, 'create table rows (id integer primary key)')
      if (turn < 2) await servers.postgres.query(database, inserts(turn))
    },
    make: ({ database }) => postgresSource(servers.postgres.url(database), { table: 'rows', cursor: 'id' }),
  },
}

const PAGES: Readonly<Record<string, SourceFamily>> = {
  httpSource: { make: () => sluice.httpSource(`${urlOf(pages as Server)}/`) },
}

/** The first cell of a row of the table → the sources that it speaks of; standard input takes processes. */
const SOURCES: Readonly<Record<string, Readonly<Record<string, SourceFamily>> | 'piped'>> = {
  'files, logs, CSV, NDJSON, JSON, Parquet': FILES,
  '`tailSource`': TAILS,
  'SQL with a cursor column': QUERIES,
  'HTTP pages': PAGES,
  'stdin, pipes': 'piped',
}

type Promise_ = (taken: readonly number[], sent: readonly number[]) => void
const sorted = (ids: Iterable<number>): number[] => [...ids].sort((a, b) => a - b)
const exactly: Promise_ = (taken, sent) => deepEqual(sorted(taken), sorted(sent))
/** Each came, nothing else did; some may have come again. */
const atLeast: Promise_ = (taken, sent) => deepEqual(sorted(new Set(taken)), sorted(sent))

/** The words of a cell → what they say of the ids that were taken. Conditions on sources are kept by the tests. */
const PROMISES: Readonly<Record<string, Promise_>> = {
  'exactly once': exactly,
  'exactly once from the first commit on, but for what a truncation took before it was read': exactly,
  'exactly once, if the column only grows': exactly,
  'exactly once, if the server returns the same again': exactly,
  'once per key': atLeast,
  'at least once': atLeast,
  // What was sent and not committed is lost; nothing comes twice.
  'at most once after the last commit': (taken, sent) => {
    deepEqual(taken.length, new Set(taken).size)
    ok(taken.every((id) => sent.includes(id)))
  },
}

interface Cell {
  readonly source: string
  readonly sink: string
  readonly promise: string
}

/** The table under "Guarantees", cell by cell. */
function cellsOf(page: string): Cell[] {
  const table = page
    .slice(page.indexOf('## Guarantees'))
    .split('\n')
    .filter((line) => line.startsWith('|'))
  const [head = [], , ...lines] = table.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  return lines.flatMap(([source = '', ...promises]) => {
    return promises.map((promise, at) => ({ source, sink: head[at + 1] ?? '', promise }))
  })
}

/** Runs until the end or the cut; whether it came to the end. */
async function runOnce(
  source: SourceFamily,
  sink: SinkFamily,
  place: Place,
  turn: number,
  cut: Cut | undefined,
  chance: () => number,
) {
  const process = new CutProcess(cut, chance)
  const ends = new OpenEnds(process)
  const job = sluice.pipeline('guaranteed', {
    from: () => ends.source(source.make(place)),
    flow: (all) => all.map((one) => ({ id: Number((one as Partial<Row>).id ?? one) })),
    into: () => ends.sink(sink.make(place)),
  })
  let watch: NodeJS.Timeout | undefined
  try {
    const { signal, clock } = process
    const starting = sluice.startPipeline(job, { epochEvents: 11, clock, signal, retryMs: 0, maxRestarts: 0 })
    const run = await Promise.race([starting, process.killed])
    if (run === 'killed') return
    process.run = run
    // What never ends by itself is told to, once all is read.
    const before = run.progress().committed.read
    watch = setInterval(() => {
      if (ends.given + before === source.count?.(turn)) run.drain('all is read').catch(() => {})
    }, 5)
    await Promise.race([run.done, process.killed])
  } catch (error) {
    if (cut === undefined) throw error
  } finally {
    clearInterval(watch)
    await ends.close()
  }
}

/** One cut more than a second run needs, so that some come while another is gone on from. */
const CUTS = 4
const KINDS = ['kill', 'kill', 'abort', 'fail', 'drain'] as const

async function holds(cell: Cell, source: SourceFamily, sink: SinkFamily, name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-guarantee-'))
  const needsPostgres = source.needsPostgres === true || sink.needsPostgres === true
  const place = { folder, database: needsPostgres ? await servers.postgres.createDatabase() : '' }
  const random = randomOf(`${cell.source} ${cell.sink} ${name}`)
  const chance = (): number => Math.floor(random() * 10)
  try {
    await sink.prepare?.(place)
    for (let turn = 0; turn <= CUTS; turn += 1) {
      await source.prepare?.(place, turn)
      const isWhole = turn === CUTS || (turn === 0 && source.needsCommit === true)
      const cut: Cut | undefined = isWhole
        ? undefined
        : { kind: KINDS[Math.floor(random() * KINDS.length)] ?? 'kill', at: 1 + Math.floor(random() * 25) }
      await runOnce(source, sink, place, turn, cut, chance)
    }
    PROMISES[cell.promise]?.(await sink.taken(place), IDS)
  } catch (error) {
    throw new Error(`SEED=${SEED} repeats it`, { cause: error })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One process that is piped into: some lines, and more once those are committed. Gives what it wrote. */
async function pipe(sink: SinkFamily, place: Place, killAt: number, lines: readonly string[]): Promise<void> {
  const program = join(ROOT, 'test', 'jobs', 'piped.ts')
  const args = ['--conditions=sluice-source', program, place.folder, sink.piped ?? '', sink.url?.(place) ?? '']
  const child = spawn(process.execPath, [...args, String(killAt)], { stdio: 'pipe' })
  const [first = '', ...more] = lines
  const stdout: string[] = []
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => stdout.push(text))
  child.stdin.on('error', () => {}) // It was killed with lines on their way.
  child.stdin.write(first)
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (!said.startsWith('committed\n') || child.stdin.writableEnded) return
    child.stdin.end(more.join(''))
  })
  if (more.length === 0) child.stdin.end()
  const [code, signal] = await once(child, 'close')
  const isAsMeant = killAt < 0 ? code === 0 : signal === 'SIGKILL'
  ok(isAsMeant, `it ended with ${code ?? signal}: ${said}`)
  for (const line of stdout.join('').split('\n').slice(0, -1)) outOf(place).push(JSON.parse(line).id)
}

async function holdsPiped(cell: Cell, sink: SinkFamily, name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-guarantee-'))
  mkdirSync(join(folder, 'out'))
  const place = { folder, database: '' }
  const killAt = 40 + Math.floor(randomOf(`piped ${name}`)() * 20)
  try {
    await sink.prepare?.(place)
    await pipe(sink, place, killAt, [linesOf(IDS.slice(0, 30)), linesOf(IDS.slice(30, 60))])
    await pipe(sink, place, -1, [linesOf(IDS.slice(60))])
    const taken = await sink.taken(place)
    PROMISES[cell.promise]?.(taken, IDS)
    // Committed is committed: what the first process had committed when it got more, and all of the second.
    const safe = [...IDS.slice(0, 10), ...IDS.slice(60)]
    deepEqual(
      safe.filter((id) => !taken.includes(id)),
      [],
    )
    ok(!taken.includes(killAt) && !taken.includes(59), 'what was piped into the one that was killed is gone')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('The guarantees of docs/specs/checkpoint.md', { concurrency: 4 }, () => {
  const cells = cellsOf(readFileSync(join(ROOT, 'docs', 'specs', 'checkpoint.md'), 'utf8'))

  it('are each held by a test: of sources, sinks, and what a cell says', () => {
    deepEqual([...new Set(cells.map(({ source }) => source))], Object.keys(SOURCES))
    deepEqual([...new Set(cells.map(({ sink }) => sink))], Object.keys(SINKS))
    deepEqual(
      cells.filter(({ promise }) => !Object.hasOwn(PROMISES, promise)),
      [],
    )
  })

  for (const cell of cells) {
    const sources = SOURCES[cell.source] ?? {}
    for (const [into, sink] of Object.entries(SINKS[cell.sink] ?? {})) {
      if (sources === 'piped') {
        const skip = sink.without ?? false
        if (sink.piped !== undefined)
          it(`standard input into ${into}: ${cell.promise}`, { skip }, () => holdsPiped(cell, sink, into))
        continue
      }
      for (const [from, source] of Object.entries(sources)) {
        const needsPostgres = source.needsPostgres === true || sink.needsPostgres === true
        const skip = (needsPostgres && missingPostgres()) || (sink.without ?? false)
        it(`${from} into ${into}: ${cell.promise}`, { skip }, () => holds(cell, source, sink, `${from} ${into}`))
      }
    }
  }
})
