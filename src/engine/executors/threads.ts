// Runs stages on worker threads; what they give comes to this one, which has the takers.

import { inTime } from '../../base/closing.ts'
import { invariant } from '../../base/invariant.ts'
import type { Topology } from '../../flow/topology.ts'
import { WorkTime } from '../../stage/work-time.ts'
import { nowhere } from '../assemble.ts'
import type { Execution, Executor, Work } from '../executor.ts'
import { InFlight } from '../in-flight.ts'
import { PipelineSource } from '../pipeline-source.ts'
import { Share } from '../share.ts'
import { Crew } from '../threads/crew.ts'
import { memberOf } from '../threads/places.ts'

export interface ThreadsOptions {
  /** The longest that a worker may be at one batch before the run fails, in milliseconds. */
  readonly maxBatchMs: number
  /** The most memory of a worker's objects, in MB; Node's own limit if undefined. */
  readonly heapMb: number | undefined
}

/** Stage n of each layer is in the same thread, so that a layer forwards to the next one without a hop. */
export function onThreads(threads: number, options: ThreadsOptions): Executor {
  return { stages: threads, start: (work) => start(work, threads, options) }
}

async function start(work: Work, threads: number, options: ThreadsOptions): Promise<Execution> {
  const { topology, takers, epochs, signal } = work
  signal?.throwIfAborted()
  const failed = new AbortController()
  let share: Share | undefined
  // The record that ends a worker is found where only one is on its way.
  const workers = epochs?.beginning.isCareful === true ? 1 : threads
  const inFlight = new InFlight(work.inFlight)
  const crew = new Crew({
    ...options,
    work,
    workers,
    inFlight,
    onFailure: (error) => {
      failed.abort(error)
      void share?.cancel(error)
    },
  })
  try {
    const waiting = AbortSignal.any(signal === undefined ? [failed.signal] : [failed.signal, signal])
    const wires = await crew.start(waiting)
    waiting.throwIfAborted()
    const taking = new WorkTime()
    // What nobody asks for is not measured.
    if (epochs !== undefined) for (const way of wires) way.time = taking
    const own = new Share(topology, {
      ...work,
      epochs: undefined,
      inFlight,
      site: {
        isHere: () => false,
        sender: nowhere,
        queue: nowhere,
        receiver: ({ id, from }) => {
          const way = wires[memberOf(from.layer, from.stage, workers)]
          invariant(way !== undefined, `no worker has stage ${from.stage + 1} of layer ${from.layer.number}`)
          const output = way.receiver(id)
          if (epochs !== undefined) output.measure(taking)
          return output
        },
      },
    })
    share = own
    return {
      done: finish(own, crew, failed.signal, work),
      threads: workers,
      placeOf: (layer, stage) => 1 + memberOf(layer, stage, workers),
      takingMs: () => taking.ms,
      figures: (layer) => crew.figures(layer),
      drain: () => crew.drain(),
      tell: (command) => crew.tell(command),
      async cancel(reason) {
        await own.cancel(reason)
        await crew.end(true)
      },
    }
  } catch (error) {
    await crew.end(true)
    for (const taker of takers) taker.cancel(error)
    throw failed.signal.aborted ? failed.signal.reason : error
  }
}

/** The longest that workers have for their last counts, once all that the flow gives has been taken. */
const LAST_WORDS_MS = 1000

async function finish(share: Share, crew: Crew, failed: AbortSignal, { epochs, topology }: Work): Promise<void> {
  const isPipeline = epochs !== undefined
  // All that workers gave is committed at the end: only those who sent it may still be told.
  const isAtOnce = !isPipeline || !isAcknowledged(topology)
  try {
    await share.done
    if (!isPipeline) {
      await inTime(crew.done(), undefined, LAST_WORDS_MS)
      failed.throwIfAborted()
    }
    await crew.end(isPipeline && isAtOnce)
  } catch (error) {
    await crew.end(isAtOnce)
    throw failed.aborted ? failed.reason : error
  }
}

function isAcknowledged({ layers }: Topology): boolean {
  return layers.some(({ work }) => {
    return work.kind === 'source' && work.source instanceof PipelineSource && work.source.isAcknowledged === true
  })
}
