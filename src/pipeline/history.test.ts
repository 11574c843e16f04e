import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deadLetter } from '../connect/origin.ts'
import { NO_TOTALS } from '../connect/totals.ts'
import { RunHistory } from './history.ts'
import type { Progress } from './report.ts'

const MINUTE = 60_000

function at(minutes: number, read: number, dead = 0): Progress {
  const committed = { ...NO_TOTALS, read: read + 1000, loaded: read - dead + 1000 }
  return {
    ...{ pipeline: 'orders', doneBytes: 0, totalBytes: undefined, epoch: 1, split: undefined },
    ...{ read, dead, committed, elapsedMs: minutes * MINUTE },
  }
}

function reject(history: RunHistory, step: string, reason: string): void {
  const origin = { source: 'a.csv', line: 1, offset: 0, raw: '' }
  history.onEvent({ kind: 'dead-letter', letter: deadLetter(origin, step, reason) })
}

describe('the history of a run', () => {
  it('U50: says every ten minutes what came, went and was rejected since the last line, how fast, and in all', () => {
    const history = new RunHistory()
    equal(history.look(at(0, 0)), undefined)
    for (const id of ['"a"', '"b"']) reject(history, 'csv', `column "n" takes numbers: found ${id}`)
    reject(history, 'validate', 'price: Too small')
    equal(history.look(at(9, 5000, 3)), undefined)
    equal(
      history.look(at(10, 6000, 3))?.text,
      'last 10 m 00 s: 6,000 read, 5,997 loaded, 3 rejected (2 csv: column "n" takes numbers: found …; 1 validate: price: Too small), 10 a second; 6,000 read in 10 m 00 s',
    )
    const later = history.look(at(20, 6000, 3))
    equal(later?.text, 'last 10 m 00 s: 0 read, 0 loaded, 0 rejected, 0 a second; 6,000 read in 20 m 00 s')
    deepEqual(later?.figures, {
      ...{ forMs: 10 * MINUTE, read: 0, loaded: 0, dead: 0, perSecond: 0 },
      ...{ totalRead: 6000, elapsedMs: 20 * MINUTE },
    })
  })

  it('U50: keeps the reasons of the whole run, those of one kind together, without secrets', () => {
    const history = new RunHistory()
    for (const n of [1, 2, 3])
      reject(history, 'json', `not valid JSON: Unexpected token 'o', "oops ${n}" is not valid JSON`)
    reject(history, 'sink', 'lost postgres://ann:secret@db/x\u001b[2J')
    deepEqual(history.reasons, [
      ['json: not valid JSON: Unexpected token …, … is not valid JSON', 3],
      ['sink: lost postgres://***@db/x\\x1b[2J', 1],
    ])
  })
})
