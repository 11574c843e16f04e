import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { FaultLoad, type LoadState, undisturbed } from '../support/fault-load.ts'
import { numbered, writeNumbered } from '../support/inputs.ts'
import { untilCommitted } from '../support/progress.ts'
import { SEED } from '../support/seed.ts'

describe(`a table that is changed by others (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-schema-'))
  const input = join(folder, 'in.log')
  const load = new FaultLoad({ input, out: join(folder, 'out.db') })
  const backup = join(folder, 'backup.db')
  let whole: LoadState
  after(() => rmSync(folder, { recursive: true, force: true }))

  before(async () => {
    writeFileSync(input, numbered({ lines: 200 }))
    await load.goOn()
    copyFileSync(load.out, backup)
    writeFileSync(input, numbered({ lines: 400 }))
    whole = await undisturbed({ input, out: join(folder, 'undisturbed.db') })
  })

  const execute = (path: string, sql: string): void => {
    const database = new DatabaseSync(path, { timeout: 5000 })
    try {
      database.exec(sql)
    } finally {
      database.close()
    }
  }

  const misfits: Readonly<Record<string, RegExp>> = {
    'alter table lines drop column text': /table lines of "[^"]*": it has no column text\n$/,
    'alter table lines rename column text to words': /table lines of "[^"]*": it has no column text\n$/,
    'drop table lines; create table lines (text integer, _source text, _offset integer, _part integer)':
      /table lines of "[^"]*": its column text is integer, rows have text for it\n$/,
    'drop table lines; create table lines (text text, _source text, _offset integer, _part integer)':
      /table lines of "[^"]*": [^\n]*(key|unique)[^\n]*\n$/,
    'drop table lines; create view lines as select 1 as text': /lines[^\n]*\n$/,
  }

  for (const [sql, found] of Object.entries(misfits)) {
    it(`F40: stops the next run with 78 and the column, and once it is put right all is loaded: ${sql}`, async () => {
      copyFileSync(backup, load.out)
      execute(load.out, sql)
      const { code, stderr } = await load.run()
      equal(code, 78, stderr)
      match(stderr, /^sluice: Cannot write to table [^\n]*\n$/)
      match(stderr, found)
      copyFileSync(backup, load.out)
      await load.finish(whole)
    })
  }

  const fits: Readonly<Record<string, number>> = {
    'alter table lines add column more text': 0,
    "alter table lines add column more text not null default 'x'": 0,
    "create trigger strict before insert on lines when new.text like 'line 3%' begin select raise(abort, 'no 3'); end": 99,
  }

  for (const [sql, refused] of Object.entries(fits)) {
    it(`F40: goes on where rows still fit, and counts those that do not: ${sql}`, async () => {
      copyFileSync(backup, load.out)
      execute(load.out, sql)
      const { code, stderr } = await load.run()
      deepEqual([code, stderr], [0, ''])
      const { rows, dead } = load.state()
      deepEqual([rows, dead], [whole.rows - refused, whole.dead + refused])
    })
  }

  it('F40: stops the run that is under way, too, and nothing is lost', async () => {
    const large = join(folder, 'large.log')
    writeNumbered(large, { lines: 150_000, padding: 20 })
    const expected = await undisturbed({ input: large, out: join(folder, 'large-undisturbed.db') })
    let stopped = 0
    for (let turn = 0; turn < 5 && stopped < 1; turn += 1) {
      const long = new FaultLoad({ input: large, out: join(folder, `long-${turn}.db`) })
      let changed = false
      const { code, stderr } = await long.run([], {
        onStart: async (child) => {
          await untilCommitted(long.out, child)
          try {
            execute(long.out, 'alter table lines rename column text to words')
            changed = true
          } catch {
            // Always locked: another turn.
          }
        },
      })
      if (code !== 0) {
        stopped += 1
        equal(code, 78, stderr)
        match(stderr, /^sluice: Cannot write to "[^\n]*no column named text[^\n]*\n$/)
      }
      if (changed) execute(long.out, 'alter table lines rename column words to text')
      await long.finish(expected)
    }
    ok(stopped > 0, 'no run was under way when its table was changed')
  })
})
