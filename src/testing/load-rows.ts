// Loads rows into a sink, for tests.

import { batchOfTracked } from '../connect/batch.ts'
import { tracked } from '../connect/origin.ts'
import type { Sink } from '../connect/sink.ts'
import { NO_TOTALS } from '../connect/totals.ts'

/**
 * Writes all batches in one epoch; returns the reasons of rejections. Rows come from the records of a file, one each.
 */
export async function loadRows(sink: Sink<unknown>, batches: readonly (readonly unknown[])[]): Promise<string[]> {
  const writer = await sink.open({ pipeline: 'test' })
  try {
    const reasons: string[] = []
    let offset = 0
    for (const batch of batches) {
      const rows = batch.map((value) => {
        const origin = { source: 'a.log', line: offset + 1, offset, raw: String(offset) }
        offset += 1
        return tracked(value, origin)
      })
      for (const { reason } of await writer.write(batchOfTracked(rows))) reasons.push(reason)
    }
    const epoch = (writer.checkpoint?.epoch ?? 0) + 1
    await writer.commit({ epoch, positions: new Map([['a.log', epoch]]), states: new Map(), totals: NO_TOTALS })
    return reasons
  } finally {
    await writer.close()
  }
}
