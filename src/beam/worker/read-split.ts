// Reads one split from its start to its end.

import { invariant } from '../../base/invariant.ts'
import type { Batch } from '../../connect/batch.ts'
import type { DeadLetter } from '../../connect/origin.ts'
import type { SourceCounts } from '../../connect/source.ts'
import type { Layer } from '../../flow/topology.ts'
import type { EngineStage } from '../plan/engine-stages.ts'
import { sourceOfLayer } from '../plan/laid-out.ts'
import type { ListedSplit } from '../plan/task.ts'

export interface ReadSplitOptions {
  readonly stage: EngineStage
  /** What was read is added to it. */
  readonly counts: SourceCounts
  readonly signal: AbortSignal
  readonly take: (layer: Layer, input: number, batch: Batch) => Promise<void>
  readonly letters: (letters: readonly DeadLetter[]) => void
}

/** The most records per read. */
const READ_AT_ONCE = 4096

export async function readSplit(bytes: Uint8Array, options: ReadSplitOptions): Promise<void> {
  const { stage, counts, signal, take, letters } = options
  const { layer: number, split } = JSON.parse(Buffer.from(bytes).toString('utf8')) as ListedSplit
  const layer = stage.sources.find((one) => one.number === number)
  invariant(layer !== undefined, `stage ${stage.number} reads nothing in layer ${number}`)
  if (split === undefined) return
  const source = sourceOfLayer(layer)
  const reader = await source.open(split, undefined, { signal })
  try {
    for (;;) {
      signal.throwIfAborted()
      const read = await reader.read(READ_AT_ONCE)
      if (read === undefined) break
      const { events, rejected } = source.marked(read)
      if (rejected.length > 0) letters(rejected.map(({ letter }) => letter))
      await take(layer, 0, events)
    }
    counts.read += reader.counts.read
    counts.blank += reader.counts.blank
    counts.invalidUtf8 += reader.counts.invalidUtf8
  } finally {
    await reader.close()
  }
}
