import { deepEqual, equal, match, ok } from 'node:assert/strict'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  type ErrorCode,
  type Flow,
  fileSource,
  httpSink,
  isSluiceError,
  ndjsonSource,
  type Pipeline,
  param,
  pipeline,
  type Sink,
  type SluiceError,
  sqliteSink,
  startPipeline,
  sum,
  textLines,
} from 'sluice'
import { postgresSink } from 'sluice/postgres'
import { previewPipeline } from '../src/pipeline/preview.ts'
import { sluiceHere } from './support/job.ts'

interface Row {
  readonly id: number
  readonly n: number
}

/** A folder with an input, and a job in it. */
interface Place {
  readonly folder: string
  readonly input: string
  readonly db: string
}

type Case = (place: Place) => Pipeline | Promise<Pipeline>

const root = mkdtempSync(join(tmpdir(), 'sluice-check-'))
after(() => rmSync(root, { recursive: true, force: true }))
let made = 0

function newPlace(): Place {
  made += 1
  const folder = join(root, `${made}`)
  mkdirSync(folder)
  const input = join(folder, 'in.ndjson')
  writeFileSync(input, Array.from({ length: 4 }, (_, id) => `${JSON.stringify({ id, n: id * 10 })}\n`).join(''))
  return { folder, input, db: join(folder, 'out.db') }
}

const total = (rows: Flow<Row>) => rows.keyBy(({ id }) => id).aggregate({ total: sum(({ n }) => n) })
const job = ({ input, db }: Place, parts: object = {}): Pipeline =>
  pipeline('job', {
    from: ndjsonSource<Row>(input),
    into: sqliteSink(db, { table: 't', key: ['id'], columns: { id: 'integer', n: 'integer' } }) as Sink<Row>,
    ...parts,
  })
const totals = (place: Place, flow: unknown = total): Pipeline =>
  job(place, {
    flow,
    into: sqliteSink(place.db, { table: 't', key: ['key'], columns: { key: 'integer', total: 'real' } }),
  })

async function loaded(one: Pipeline): Promise<void> {
  await (await startPipeline(one)).done
}

function sql(db: string, ...statements: readonly string[]): void {
  const database = new DatabaseSync(db)
  for (const statement of statements) database.exec(statement)
  database.close()
}

/** What a run refuses before it has loaded anything, code by code; or why a code is not of that kind. */
const REFUSALS: Readonly<Record<ErrorCode, Readonly<Record<string, Case>> | string>> = {
  COMMAND_INVALID: 'of the command line, which differs from command to command',
  CONFIG_INVALID: {
    'a parameter that does not fit': (place) =>
      pipeline('job', {
        params: { size: param.number(1) },
        from: ndjsonSource(place.input),
        into: sqliteSink(place.db, { table: 't' }),
      }) as unknown as Pipeline,
    'a flow that a pipeline cannot run': (place) => job(place, { flow: (rows: Flow<Row>) => rows.take(1) }),
    'results that come again': (place) => job(place, { flow: total, into: sqliteSink(place.db, { table: 't' }) }),
    'a sink that keeps no checkpoints': (place) => job(place, { into: httpSink('http://localhost/rows') }),
    'a key that is no column': (place) => job(place, { into: sqliteSink(place.db, { table: 't', key: ['nokey'] }) }),
    'a key that is not among the columns': (place) =>
      job(place, {
        flow: (rows: Flow<Row>) => rows.map(({ n }) => ({ n })),
        into: sqliteSink(place.db, { table: 't', key: ['id'] }),
      }),
  },
  SOURCE_MISSING: {
    'no such file': (place) => job(place, { from: ndjsonSource(join(place.folder, 'gone', '*.ndjson')) }),
  },
  SOURCE_UNREADABLE: {
    'a folder': (place) => job(place, { from: ndjsonSource(place.folder) }),
  },
  SOURCE_CORRUPT: {
    'a compressed file that is cut off': (place) => {
      const path = join(place.folder, 'a.log.gz')
      writeFileSync(path, gzipSync('one\ntwo\n').subarray(0, 20))
      return textJob(place, path)
    },
  },
  SOURCE_LIMIT: {
    'a bomb': (place) => {
      const path = join(place.folder, 'a.log.gz')
      writeFileSync(path, gzipSync('zeros\n'.repeat(5_000_000)))
      return textJob(place, path)
    },
  },
  POSITION_LOST: {
    'a file that was cut off': async (place) => {
      await loaded(job(place))
      truncateSync(place.input, 10)
      return job(place)
    },
  },
  TOO_MANY_DEAD_LETTERS: 'by what is read',
  SINK_LOST: 'while it is written to: a sink that is lost at first is SINK_UNREACHABLE in the end',
  SINK_UNREACHABLE: {
    'no database': async (place) => {
      const server = createServer()
      const port = await new Promise<number>((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
      })
      await new Promise((resolve) => server.close(resolve))
      return job(place, { into: postgresSink(`postgres://a:b@127.0.0.1:${port}/c`, { table: 't', timeoutMs: 2000 }) })
    },
  },
  OUTPUT_CLOSED: 'while it is written to',
  SINK_MISMATCH: {
    'a table without the key': (place) => {
      sql(place.db, 'create table t (name text)')
      return job(place)
    },
    'a table whose key is no key': (place) => {
      sql(place.db, 'create table t (id integer, n integer)')
      return job(place)
    },
  },
  PIPELINE_HELD: {
    'a lease of another machine': async (place) => {
      await loaded(job(place))
      sql(place.db, `update sluice_leases set pid = 1, host = 'elsewhere', renewed = ${Date.now() + 60_000}`)
      return job(place)
    },
  },
  CHECKPOINT_INVALID: {
    'positions that are gone': async (place) => {
      await loaded(job(place))
      sql(place.db, 'delete from sluice_positions')
      return job(place)
    },
    'a flow that remembers something else': async (place) => {
      await loaded(totals(place))
      appendFileSync(place.input, '{"id":9,"n":9}\n')
      return totals(place, (rows: Flow<Row>) =>
        rows.keyBy(({ id }) => id).aggregate({ total: sum(({ id }) => id), more: sum(({ n }) => n) }),
      )
    },
  },
  STORAGE_FAILED: {
    'no folder for the database': (place) =>
      job(place, { into: sqliteSink(join(place.folder, 'gone', 'out.db'), { table: 't' }) }),
    'a folder in its place': (place) => job(place, { into: sqliteSink(place.folder, { table: 't' }) }),
  },
  RESTARTS_OVER_LIMIT: 'of groups of stages',
  BUFFER_FULL: 'of stages that emit by themselves',
  STATE_OVER_LIMIT: 'by what is read',
  STATE_NOT_KEPT: {
    'a state that is damaged': async (place) => {
      await loaded(totals(place))
      appendFileSync(place.input, '{"id":9,"n":9}\n')
      sql(place.db, "update sluice_states set state = x'ff00' where part like '%aggregate%'")
      return totals(place)
    },
  },
  OPERATOR_FAILED: 'of flows: in a pipeline an event at which a function throws is a dead letter',
  WORKER_FAILED: 'of worker threads, by what is read',
  FLOW_MISMATCH: 'of worker threads, which lay the flow out by themselves',
  NOT_PORTABLE: 'of an engine: check asks about runs in this process',
  ENGINE_UNREACHABLE: 'of an engine',
  ENGINE_FAILED: 'of an engine',
  SOURCE_DIFFERS: 'copies that share a pipeline are compared when they run',
  TIMED_OUT: 'of tasks and requests',
}

const PARAMS = new Map<string, string>()

function textJob({ db }: Place, path: string): Pipeline {
  const into = sqliteSink(db, { table: 't' })
  return pipeline('job', { from: fileSource(path, textLines()), flow: (all) => all.map((text) => ({ text })), into })
}

/** Which files there are, and what is in them. */
function contentOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/-(shm|wal)$/.test(entry.name))
    .map((entry) => `${entry.name} ${readFileSync(join(entry.parentPath, entry.name)).toString('base64')}`)
    .sort()
}

async function refusalOf(act: () => Promise<unknown>): Promise<SluiceError | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    if (isSluiceError(error)) return error
    throw error
  }
}

describe('sluice check', () => {
  for (const [code, cases] of Object.entries(REFUSALS)) {
    if (typeof cases === 'string') continue
    for (const [name, make] of Object.entries(cases)) {
      it(`C111: refuses what a run refuses, in its words, and changes nothing: ${code}, ${name}`, async () => {
        const place = newPlace()
        const one = await make(place)
        const params = name.startsWith('a parameter') ? new Map([['size', 'many']]) : PARAMS
        const before = contentOf(place.folder)
        const nothing = { onRow: () => {}, onLetter: () => {} }
        const checked = await refusalOf(() => previewPipeline(one, { params, records: 10, waitMs: 1000, ...nothing }))
        deepEqual(contentOf(place.folder), before)
        const ran = await refusalOf(async () => await (await startPipeline(one, { params, retryMs: 0 })).done)
        equal(ran?.code, code)
        deepEqual([checked?.code, checked?.message], [ran?.code, ran?.message])
      })
    }
  }

  it('C111: shows rows that the table refuses as dead letters, and writes none', async () => {
    const place = newPlace()
    sql(place.db, 'create table t (id integer primary key, n integer check (n < 20))')
    const [rows, reasons]: [unknown[], string[]] = [[], []]
    await previewPipeline(job(place), {
      params: PARAMS,
      records: 10,
      waitMs: 1000,
      onRow: (row) => void rows.push(row),
      onLetter: ({ reason }) => void reasons.push(reason),
    })
    equal(rows.length, 2)
    equal(reasons.length, 2)
    match(reasons.join('\n'), /CHECK|check/)
    const database = new DatabaseSync(place.db, { readOnly: true })
    equal(database.prepare('select count(*) as n from t').get()?.n, 0)
    database.close()
  })

  it('C111: says the same, with the same exit code, on the command line', async () => {
    const place = newPlace()
    const file = join(place.folder, 'job.ts')
    const index = JSON.stringify(new URL('../src/index.ts', import.meta.url).href)
    writeFileSync(
      file,
      `import { ndjsonSource, pipeline, sqliteSink } from ${index}
export default pipeline('job', {
  from: ndjsonSource(${JSON.stringify(place.input)}),
  into: sqliteSink(${JSON.stringify(place.db)}, { table: 't', key: ['nokey'] }),
})\n`,
    )
    const [checked, ran] = [await sluiceHere(['check', file]), await sluiceHere(['run', file, '--quiet'])]
    deepEqual([checked.code, ran.code], [78, 78])
    ok(ran.stderr.includes(checked.stderr.trim()), `${checked.stderr}\n${ran.stderr}`)
  })
})
