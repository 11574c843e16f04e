// One life of a pipeline under test: from its start to its end, or to the moment at which it is killed.

import { definedOf } from '../../base/options.ts'
import type { Operator } from '../../flow/plan.ts'
import { isSplittable } from '../../flow/source.ts'
import { withOperators, withSources } from '../../flow/with-operators.ts'
import type { Params } from '../../pipeline/param.ts'
import type { Pipeline, PipelineParts } from '../../pipeline/pipeline.ts'
import { startPipeline } from '../../pipeline/start.ts'
import type { ManualClock } from '../manual-clock.ts'
import type { GivenSources } from './given.ts'
import type { MemoryStore } from './memory-store.ts'
import { passTime } from './pass-time.ts'
import { type Counter, untilDone, watchedSource } from './watched-source.ts'

export interface LifeOptions {
  readonly pipeline: Pipeline<Params>
  readonly params: ReadonlyMap<string, string>
  readonly sources: GivenSources
  readonly store: MemoryStore
  readonly clock: ManualClock
  readonly dueMs: readonly number[] | undefined
  /** After how many records it is killed; undefined: it comes to its end. */
  readonly killAfter: number | undefined
  readonly epochEvents: number | undefined
  readonly onNote: (note: string) => void
}

/** @throws the error of the run; an Error if it was to be killed, and ended before */
export async function live(options: LifeOptions): Promise<void> {
  const { pipeline, params, clock, killAfter, epochEvents, onNote } = options
  const [outside, reads] = [{ count: 0 }, { count: 0 }]
  const life = new AbortController()
  const killed = new Error('killed by the test')
  const kill = (): never => {
    life.abort(killed)
    throw killed
  }
  const inMemory: Pipeline<Params> = {
    ...pipeline,
    build: (values) => replaced(pipeline.build(values), { ...options, outside, reads, life: life.signal, kill }),
  }
  try {
    const run = await startPipeline(inMemory, {
      params,
      clock,
      retryMs: 0,
      signal: life.signal,
      ...(epochEvents === undefined ? {} : { epochEvents }),
      onEvent: (event) => {
        if (event.kind === 'noted') onNote(event.note)
      },
    })
    const progress = (): string => {
      const { layers, epoch } = run.snapshot()
      const figures = layers.flatMap(({ stages }) => stages.map(({ received, emitted }) => [received, emitted]))
      return JSON.stringify([epoch, reads.count, figures])
    }
    await passTime(clock, run.done, { waiting: () => outside.count, progress })
  } catch (error) {
    if (life.signal.aborted) return
    throw error
  }
  if (killAfter !== undefined)
    throw new Error(`Cannot kill ${pipeline.name} after ${killAfter} records: it ended after ${reads.count}`)
}

interface Replacing extends LifeOptions {
  readonly outside: Counter
  readonly reads: Counter
  readonly life: AbortSignal
  readonly kill: () => never
}

/** The same parts, with what was given for sources, and a sink in memory. */
function replaced(parts: PipelineParts, options: Replacing): PipelineParts {
  const { sources, store, outside, reads, clock, dueMs, killAfter, kill, life } = options
  const timing = { ...definedOf({ dueMs, killAfter }), kill }
  let number = 0
  const further = (source: unknown): unknown => {
    number += 1
    const given = sources.inPlaceOf(number, source)
    return isSplittable(given) ? watchedSource(given, { outside, reads: { count: 0 }, clock }) : given
  }
  return {
    ...parts,
    source: watchedSource(sources.inPlaceOf(0, parts.source), { outside, reads, clock, ...timing }),
    node: withOperators(withSources(parts.node, further), (operator) => counted(operator, outside)),
    sink: store.standFor(parts.sink, life),
    // That the real parts may give results again was checked.
    results: 'append',
  }
}

/** The same operator; calls of its function are counted until they end, if it is one that waits. */
function counted(operator: Operator, outside: Counter): Operator {
  if (operator.kind !== 'mapAsync') return operator
  const make: typeof operator.make = () => {
    const call = operator.make()
    return (value, context) => untilDone(outside, call(value, context))
  }
  return { ...operator, make }
}
