// A load that writes numbers into part files, and goes on from its checkpoint.

import { batchOf } from '../../src/connect/batch.ts'
import { ndjsonSink } from '../../src/connect/files/part-files/ndjson.ts'

export interface NumberLoad {
  readonly folder: string
  /** How many numbers, from 0. */
  readonly count: number
  readonly perEpoch: number
}

interface Row {
  readonly id: number
}

export async function writeNumbers({ folder, count, perEpoch }: NumberLoad): Promise<void> {
  const sink = ndjsonSink<Row>(folder, { partitionBy: ({ id }) => `p/${id % 2}`, roll: { rows: 4 } })
  const writer = await sink.open({ pipeline: 'numbers' })
  let next = Number(writer.checkpoint?.positions.get('numbers') ?? 0)
  let epoch = writer.checkpoint?.epoch ?? 0
  while (next < count) {
    const until = Math.min(count, next + perEpoch)
    for (; next < until; next += 1) {
      const origin = { source: 'numbers', line: 0, offset: next, raw: String(next) }
      await writer.write(batchOf([{ id: next }], { at: () => origin }))
    }
    epoch += 1
    const totals = { read: next, derived: 0, loaded: next, dead: 0, filtered: 0, blank: 0, absorbed: 0, invalidUtf8: 0 }
    await writer.commit({ epoch, positions: new Map([['numbers', next]]), states: new Map(), totals })
  }
  await writer.close()
}
