import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { traced } from '../connect/origin.ts'
import type { SinkWriter } from '../connect/sink.ts'
import { Epochs } from './epochs.ts'
import { LoadStage } from './load-stage.ts'
import { RejectLimit } from './reject-limit.ts'

const NOWHERE: SinkWriter<unknown> = {
  checkpoint: undefined,
  write: () => [],
  bury: () => {},
  commit: () => {},
  close: async () => {},
}

describe('LoadStage', () => {
  it('loads on where a function of the summary throws, and shows that it did', () => {
    const parity = (row: number): string => {
      if (row === 3) throw new RangeError('three is too many')
      return row % 2 === 0 ? 'even' : 'odd'
    }
    const stage = new LoadStage({
      writer: NOWHERE,
      epochs: new Epochs(undefined),
      limit: new RejectLimit(undefined),
      top: { parity },
      onEvent: () => {},
      onRejected: () => {},
    })
    stage.onEvents([2, 3, 4].map((n) => traced(n, { source: 'a', line: n, offset: n, raw: `${n}` })))
    deepEqual(stage.top().parity?.values, [
      ['even', 2],
      ['error: three is too many', 1],
    ])
  })
})
