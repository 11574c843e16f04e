import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { rowsIn } from '../src/testing/rows-in.ts'
import { loadHere } from './support/cli.ts'
import { tableState, withFolder } from './support/oracle.ts'
import { DATA, missingData } from './support/project.ts'

interface Expected {
  readonly accepted: number
  readonly rejected: number
  readonly blank: number
  readonly row_digest: string
  readonly bytes_total: number
  readonly by_status: Readonly<Record<string, number>>
  readonly by_method: Readonly<Record<string, number>>
  readonly malformed_request: number
  readonly top10_paths_by_requests: readonly (readonly [string, number])[]
}

function expectedOf<T = Expected>(set: string): T {
  return JSON.parse(readFileSync(join(DATA, set, 'expected.json'), 'utf8'))
}

/** The rows of a query as plain pairs. */
const pairs = (db: string, sql: string): Record<string, number> =>
  Object.fromEntries(rowsIn(db, sql).map(({ k, n }) => [`${k}`, Number(n)]))

describe('access-log on real logs', () => {
  for (const [set, file] of [
    ['access-semicomplete', 'access.log.gz'],
    ['access-shop', 'access.log'],
    ['access-odd', 'odd.log'],
  ] as const) {
    it(`loads ${set} with the counts and the digest of its reference answer`, { skip: missingData(set) }, async () => {
      await withFolder(async (folder) => {
        const db = join(folder, 'out.db')
        const { run } = await loadHere(join(DATA, set, file), db)
        const expected = expectedOf(set)
        equal(run.loaded, expected.accepted)
        equal(run.blank, expected.blank)
        equal(run.read, run.loaded + run.dead + run.blank)
        const state = tableState(db)
        equal(state.rowDigest, expected.row_digest)
        equal(state.rows, expected.accepted)
        equal(state.dead, run.dead)
        const sum = pairs(db, "SELECT 'bytes' AS k, sum(bytes) AS n FROM requests")
        equal(sum.bytes, expected.bytes_total)
        deepEqual(pairs(db, 'SELECT status AS k, count(*) AS n FROM requests GROUP BY 1'), expected.by_status)
        const methods = pairs(db, 'SELECT method AS k, count(*) AS n FROM requests WHERE method IS NOT NULL GROUP BY 1')
        deepEqual(methods, expected.by_method)
        const paths = pairs(db, 'SELECT path AS k, count(*) AS n FROM requests WHERE path IS NOT NULL GROUP BY 1')
        for (const [path, count] of expected.top10_paths_by_requests) equal(paths[path], count, path)
      })
    })
  }

  it('F24: puts every line of access-dirty where its label says', { skip: missingData('access-dirty') }, async () => {
    await withFolder(async (folder) => {
      const db = join(folder, 'out.db')
      const file = join(DATA, 'access-dirty', 'dirty.log.gz')
      const { run } = await loadHere(file, db)
      const expected = expectedOf<{
        lines: number
        ok_row_digest: string
        verdicts: Record<string, number>
        mutated: readonly (readonly [line: number, kind: string, verdict: string])[]
      }>('access-dirty')
      equal(run.read, expected.lines)
      equal(run.blank, expected.verdicts.skip)
      equal(run.read, run.loaded + run.dead + run.blank)
      const open = new DatabaseSync(db, { readOnly: true })
      const loaded = new Set(
        open
          .prepare('SELECT line FROM requests')
          .all()
          .map((row) => Number(row.line)),
      )
      const dead = new Set(
        open
          .prepare('SELECT line FROM dead_letters')
          .all()
          .map((row) => Number(row.line)),
      )
      open.close()
      const either = new Set<number>()
      for (const [line, kind, verdict] of expected.mutated) {
        const where = loaded.has(line) ? 'ok' : dead.has(line) ? 'reject' : 'skip'
        if (verdict === 'either') {
          ok(where !== 'skip', `line ${line} (${kind}) is lost`)
          either.add(line)
        } else equal(where, verdict, `line ${line} (${kind})`)
      }
      equal(loaded.size + dead.size, run.loaded + run.dead)
      const others = [...either].join(', ')
      equal(tableState(db, `line NOT IN (${others})`).rowDigest, expected.ok_row_digest)
    })
  })

  it('F29: loads nothing twice, and says that there was nothing new', {
    skip: missingData('access-semicomplete'),
  }, async () => {
    await withFolder(async (folder) => {
      const db = join(folder, 'out.db')
      const file = join(DATA, 'access-semicomplete', 'access.log.gz')
      await loadHere(file, db)
      const before = tableState(db)
      const second = await loadHere(file, db)
      deepEqual({ read: second.run.read, unchanged: second.splits.unchanged }, { read: 0, unchanged: 1 })
      deepEqual(tableState(db), before)
    })
  })
})
