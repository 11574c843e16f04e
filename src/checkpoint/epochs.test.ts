import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InvariantError } from '../base/invariant.ts'
import { NO_TOTALS } from '../connect/totals.ts'
import { Epochs } from './epochs.ts'

const openWith = (epochs: Epochs, epoch: number, read: number, blank = 0): number => {
  epochs.open(epoch)
  epochs.moved(epoch, new Map([['a.log', read]]), { read, blank })
  return epoch
}

describe('Epochs', () => {
  it('adds up what every stage books for an epoch', () => {
    const epochs = new Epochs(undefined)
    const epoch = openWith(epochs, 1, 10, 1)
    epochs.book(epoch, { filtered: 2 })
    epochs.book(epoch, { loaded: 6, dead: 1 })
    deepEqual(epochs.checkpoint(epoch), {
      epoch: 1,
      positions: new Map([['a.log', 10]]),
      totals: { ...NO_TOTALS, read: 10, blank: 1, filtered: 2, loaded: 6, dead: 1 },
      states: new Map(),
    })
  })

  it('goes on from what an earlier run committed', () => {
    const totals = { ...NO_TOTALS, read: 5, loaded: 5 }
    const epochs = new Epochs({ epoch: 7, positions: new Map(), states: new Map(), totals })
    const epoch = openWith(epochs, 8, 3)
    epochs.book(epoch, { loaded: 3 })
    equal(epochs.checkpoint(epoch).totals.read, 8)
    epochs.committed(epoch)
    equal(epochs.epoch, 8)
    equal(epochs.run.read, 3)
    equal(epochs.overall.read, 8)
  })

  it('C6: refuses to commit an epoch of which a record is missing', () => {
    const epochs = new Epochs(undefined)
    const epoch = openWith(epochs, 1, 10)
    epochs.book(epoch, { loaded: 9 })
    throws(() => epochs.checkpoint(epoch), InvariantError)
  })

  it('C4: commits epochs in turn', () => {
    const epochs = new Epochs(undefined)
    epochs.open(1)
    epochs.open(2)
    throws(() => epochs.checkpoint(2), /epoch 2 is out of turn after 0/)
  })
})
