import { ok } from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { Session } from '../../connect/duckdb/connection.ts'
import { duckdbSink } from '../../connect/duckdb/sink.ts'
import { fanOut } from '../../connect/fan-out/sink.ts'
import { ndjsonSink } from '../../connect/files/part-files/ndjson.ts'
import { sqliteSink } from '../../connect/sqlite/sink.ts'
import { times } from '../times.ts'
import { type Faults, MemoryStore } from './sink/memory.ts'
import type { SeenRow, SinkPlace } from './sink/subject.ts'
import { sinkConformance, sinkRules } from './sink.ts'

const COLUMNS = { number: 'integer', text: 'text' } as const
const row = (number: number, text: string): SeenRow => ({ number, text })
const refused = { number: 'none', text: '' } as unknown as SeenRow

/** A place in a folder of its own. */
const inFolder = (make: (folder: string) => Omit<SinkPlace<SeenRow>, 'close'>) => (): SinkPlace<SeenRow> => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sink-'))
  return { ...make(folder), close: () => rmSync(folder, { recursive: true }) }
}

function rowsOfSqlite(path: string): readonly SeenRow[] {
  const database = new DatabaseSync(path)
  const isThere = database.prepare("select 1 from sqlite_schema where name = 't'").get() !== undefined
  const rows = isThere ? database.prepare('select number, text from t').all() : []
  database.close()
  return rows as unknown as SeenRow[]
}

const KEYS = [undefined, ['number']] as const
/** A look at DuckDB takes it a hundred times as long as one at SQLite: before a commit, it is tried in one way. */
const KEYS_OF_DUCKDB = KEYS.slice(-times(KEYS.length))

for (const key of KEYS) {
  const isKeyed = key !== undefined
  const by = isKeyed ? { key } : {}

  sinkConformance<SeenRow>({
    name: isKeyed ? 'SQLite by key' : 'SQLite',
    row,
    refused,
    isKeyed,
    locksWhileWriting: true,
    make: inFolder((folder) => {
      const path = join(folder, 'out.db')
      const sink = sqliteSink<SeenRow>(path, { table: 't', columns: COLUMNS, ...by })
      return { sink, visible: () => rowsOfSqlite(path) }
    }),
  })
}

for (const key of KEYS_OF_DUCKDB) {
  const isKeyed = key !== undefined
  const by = isKeyed ? { key } : {}

  sinkConformance<SeenRow>({
    name: isKeyed ? 'DuckDB by key' : 'DuckDB',
    row,
    refused,
    isKeyed,
    scripts: times(5),
    make: inFolder((folder) => {
      const path = join(folder, 'out.duckdb')
      const sink = duckdbSink<SeenRow>(path, { table: 't', columns: COLUMNS, ...by })
      return {
        sink,
        async visible() {
          const session = await Session.open(path)
          const rows = await session.all('select number::integer as number, text from t')
          session.close()
          return rows as unknown as SeenRow[]
        },
      }
    }),
  })
}

sinkConformance<SeenRow>({
  name: 'NDJSON files',
  row,
  refused: { number: Number.NaN, text: '' },
  locksWhileWriting: true,
  startsOverInPlace: false,
  make: inFolder((root) => {
    const folder = join(root, 'out')
    return {
      sink: ndjsonSink<SeenRow>(folder, { store: join(root, 'store.db') }),
      visible: () => {
        const names = readdirSync(root).includes('out') ? readdirSync(folder) : []
        return names
          .filter((name) => name.endsWith('.ndjson'))
          .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
          .map((line) => JSON.parse(line) as SeenRow)
      },
    }
  }),
})

sinkConformance<SeenRow>({
  name: 'several: what the branch has',
  row,
  refused,
  locksWhileWriting: true,
  scripts: times(4),
  make: inFolder((folder) => {
    const path = (name: string) => join(folder, name)
    const options = { table: 't', columns: COLUMNS }
    const branches = { branch: { into: sqliteSink<SeenRow>(path('branch.db'), options) } }
    return {
      sink: fanOut(sqliteSink<SeenRow>(path('first.db'), options), { spool: path('spool'), branches }),
      visible: () => rowsOfSqlite(path('branch.db')),
    }
  }),
})

const memory = (faults: Faults, isKeyed = true) => ({
  name: 'memory',
  row,
  refused: { number: -1, text: '' },
  isKeyed,
  make: () => {
    const store = new MemoryStore({ faults, isKeyed })
    return { sink: store.sink, visible: () => store.rows }
  },
})

sinkConformance<SeenRow>(memory({}))
sinkConformance<SeenRow>(memory({}, false))

/** Each fault, and a rule that must find it. */
const FINDS: Readonly<Record<keyof Faults, RegExp>> = {
  writesAtOnce: /^shows rows and dead letters once/,
  buriesAtOnce: /^drops what was not committed/,
  exhumesAtOnce: /^F37: deletes dead letters with the commit/,
  forgetsPositions: /^gives positions, totals and states back/,
  keepsEmptyStates: /^gives positions, totals and states back/,
  losesTotals: /^keeps to it in every order/,
  mixesPipelines: /^keeps the pipelines of one store apart/,
  firstRowWins: /^overwrites the row of the same key/,
  dropsBatches: /^returns only the rejected rows/,
  letsSeveralIn: /^C30: rejects a second instance/,
  commitsThoughFenced: /^C31, C32: can be taken over/,
  releasesLeaseOfOthers: /^C31, C32: can be taken over/,
  neverExpires: /^C31, C32: can be taken over/,
  renewsNothing: /^C31: is held for as long/,
  keepsOutItsOwner: /^lets its owner open it again/,
  resetsWhileHeld: /^deletes positions, totals and states when/,
  resetsAll: /^deletes positions, totals and states when/,
  pagesOverlap: /^returns dead letters page by page/,
  cutsTexts: /^stores dead letters as they are/,
  countsLettersTwice: /^stores dead letters as they are/,
}

describe('the suite for sinks', () => {
  for (const [fault, finds] of Object.entries(FINDS)) {
    it(`C11: finds a sink that is broken: ${fault}`, async () => {
      const rule = sinkRules(memory({ [fault]: true })).find(({ name }) => finds.test(name))
      ok(rule !== undefined, `there is a rule for ${fault}`)
      const found = await rule.check().then(
        () => undefined,
        (error: unknown) => error,
      )
      ok(found !== undefined, `${rule.name} does not find ${fault}`)
    })
  }
})
