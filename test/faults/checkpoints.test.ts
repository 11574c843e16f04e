import { deepEqual, equal, match } from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { sluice } from '../support/cli.ts'
import { FaultLoad, LOAD, type LoadState, undisturbed } from '../support/fault-load.ts'
import { numbered } from '../support/inputs.ts'
import { SEED } from '../support/seed.ts'

const LINES = 400

/** What is done to a checkpoint, and what is said of it. */
const BREAKS: Readonly<Record<string, readonly [sql: string, found: RegExp]>> = {
  'of a newer version': ['update sluice_store set version = 99', /it is in tables of version 99, this Sluice reads 3/],
  'without its positions': ['delete from sluice_positions', /it has 1 splits, and there are positions of 0/],
  'of which only positions are left': ['delete from sluice_checkpoints', /there are positions but no checkpoint/],
  'that was given to another pipeline': [
    "update sluice_checkpoints set pipeline = 'other'",
    /there are positions but no checkpoint/,
  ],
  'with a position that is cut short': ['update sluice_positions set position = substr(position, 1, 40)', /JSON/],
  'with an empty position': ["update sluice_positions set position = ''", /JSON/],
  'with a position of something else': [
    'update sluice_positions set position = \'{"page": 3}\'',
    /the checkpoint holds no position of a file/,
  ],
  'without totals': ["update sluice_checkpoints set totals = '{}'", /its total of read is undefined/],
}

for (const into of ['sqlite', 'files'] as const) {
  describe(`a checkpoint in ${into === 'files' ? 'the store of part files' : 'a database'} (REPRO: SEED=${SEED} npm test)`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-checkpoints-'))
    const input = join(folder, 'in.log')
    const load = new FaultLoad({ input, into, out: join(folder, 'out') })
    const backup = join(folder, 'backup')
    let half: LoadState
    let whole: LoadState
    after(() => rmSync(folder, { recursive: true, force: true }))

    before(async () => {
      writeFileSync(input, numbered({ lines: LINES / 2 }))
      half = await load.goOn()
      copyFileSync(load.store, backup)
      writeFileSync(input, numbered({ lines: LINES }))
      whole = await undisturbed({ input, into, out: join(folder, 'undisturbed') })
    })

    const execute = (sql: string): void => {
      const database = new DatabaseSync(load.store)
      database.exec(sql)
      database.close()
    }

    for (const [kind, [sql, found]] of Object.entries(BREAKS)) {
      it(`F36: is refused with 78 or 66, and nothing starts over: ${kind}`, async () => {
        execute(sql)
        const { code, stderr } = await load.run()
        equal(code, kind === 'with a position of something else' ? 66 : 78, stderr)
        match(stderr, /^sluice: Cannot [^\n]*\n$/)
        match(stderr, found)
        if (code === 78)
          match(
            stderr,
            /\((?:to start over: sluice checkpoints FILE reset|use the Sluice that made them, or a later one)\)/,
          )
        copyFileSync(backup, load.store)
        deepEqual(load.state(), half)
      })
    }

    it('F36: is refused where its file is damaged, or is another', async () => {
      const damages: Readonly<Record<string, (path: string) => void>> = {
        'not an SQLite database': (path) => writeFileSync(path, 'x'.repeat(10_000)),
        '(SQLITE_CORRUPT)': (path) => truncateSync(path, 5000),
      }
      for (const [found, damage] of Object.entries(damages)) {
        damage(load.store)
        const { code, stderr } = await load.run()
        equal(code, found.startsWith('no') ? 78 : 74, stderr)
        match(stderr, /^sluice: Cannot [^\n]*\n$/)
        equal(stderr.includes(found), true, stderr)
        copyFileSync(backup, load.store)
        deepEqual(load.state(), half)
      }
    })

    if (into === 'files') {
      it('F36: is missed where it is gone, and its part files are not', async () => {
        for (const leave of [rmSync, (path: string) => truncateSync(path, 0)]) {
          leave(load.store)
          const { code, stderr } = await load.run()
          equal(code, 78, stderr)
          match(
            stderr,
            /^sluice: Cannot write to "[^"]*": it holds parts of load up to epoch 1, and there is no checkpoint \(empty/,
          )
          copyFileSync(backup, load.store)
          deepEqual(load.state(), half)
        }
      })
    } else {
      it('F36: may be started over from on purpose, also when it is broken', async () => {
        execute('update sluice_checkpoints set epoch = 0')
        const reset = await sluice(['checkpoints', LOAD, 'reset', '--yes', '--dead-letters', ...load.args])
        equal(reset.code, 0, reset.stderr)
        match(reset.stdout, /^load: forgot a checkpoint that cannot be read: its epoch is 0$/m)
        deepEqual(await load.goOn(), whole)
        copyFileSync(backup, load.store)
      })
    }

    it('F36: is gone on from when it is whole again', async () => {
      await load.finish(whole)
    })
  })
}
