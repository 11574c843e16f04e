// What a run on an engine reports when it has ended.

import type { SinkInspector, Totals } from '../../connect/sink.ts'
import { balanced, NO_TOTALS, totalsAddUp } from '../../connect/totals.ts'
import { foldsIn } from '../../flow/topology.ts'
import { promisedBy } from '../../pipeline/guarantee.ts'
import type { RunReport } from '../../pipeline/report.ts'
import type { LaidOut } from '../plan/laid-out.ts'

/** The result of a run on an engine that did not fail. */
export interface EngineReport
  extends Pick<
    RunReport,
    'pipeline' | 'outcome' | 'elapsedMs' | 'firstDeadLetters' | 'sink' | 'sinkKind' | 'promised' | 'deadLetters'
  > {
  /** What became of the records; undefined where the engine does not tell all of it. */
  readonly run: Totals | undefined
  /** Batches of events that went from one stage to another, through the engine. */
  readonly elements: number
}

/** Dead letters that the report names. */
const NAMED = 3

/** @param counts - by name, summed up over all workers */
export async function reportOf(
  { parts, pipeline, topology }: LaidOut,
  counts: Readonly<Record<string, number>>,
  elapsedMs: number,
): Promise<EngineReport> {
  const { crossed: elements = 0, ...told } = counts
  const totals = balanced({ ...NO_TOTALS, ...told }, foldsIn(topology))
  const isTold = Object.keys(told).length > 0 && totalsAddUp(totals)
  const { sink } = parts
  return {
    pipeline: pipeline.name,
    outcome: 'finished',
    elapsedMs,
    run: isTold ? totals : undefined,
    elements,
    firstDeadLetters: totals.dead === 0 ? [] : await firstLetters(await sink.inspect?.(pipeline.name)),
    sink: sink.title,
    sinkKind: sink.kind,
    promised: { ...promisedBy(parts), guarantee: 'once-per-key' },
    deadLetters: sink.deadLetters,
  }
}

async function firstLetters(inspector: SinkInspector | undefined): Promise<EngineReport['firstDeadLetters']> {
  if (inspector === undefined) return []
  try {
    const letters = await inspector.deadLetters({ limit: NAMED })
    return letters.map(({ kind, origin, step, reason }) => ({ kind, origin, step, reason }))
  } finally {
    await inspector.close()
  }
}
