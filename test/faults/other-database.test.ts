import { ok } from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { FaultLoad, undisturbed } from '../support/fault-load.ts'
import { writeNumbered } from '../support/inputs.ts'
import { untilHeld } from '../support/progress.ts'
import { randomOf, SEED, times } from '../support/seed.ts'

describe(`a load into a database of another kind (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = tempFolder('sluice-other-')

  it('F1: killed at random moments and started again, ends with the same table', async () => {
    const random = randomOf('other')
    const input = join(folder, 'in.log')
    writeNumbered(input, { lines: 3000, badEvery: 50 })
    const began = Date.now()
    const expected = await undisturbed({ input, into: 'other', out: join(folder, 'undisturbed') })
    // A guess, as the machine may be at other work now: shorter once a load has ended before its kill.
    let loadMs = Date.now() - began
    let kills = 0
    for (let turn = 0; turn < times(20) && kills < times(8); turn += 1) {
      const load = new FaultLoad({ input, into: 'other', out: join(folder, String(turn)) })
      const kill = async (child: ChildProcess): Promise<void> => {
        await untilHeld(load.store, child)
        await sleep(random() * loadMs)
        child.kill('SIGKILL')
      }
      for (let attempt = 0; attempt < 3; attempt += 1) {
        let killing = Promise.resolve()
        const { signal } = await load.run([], {
          onStart: (child) => {
            killing = kill(child)
          },
        })
        await killing
        if (signal === null) {
          loadMs *= 0.7
          break
        }
        kills += 1
      }
      await load.finish(expected)
    }
    ok(kills >= times(8), `${kills} kills took effect`)
  })
})
