// Runs stages on worker threads; their output comes to this one, which has the consumers.

import { inTime } from '../../base/closing.ts'
import { invariant } from '../../base/invariant.ts'
import type { Topology } from '../../flow/topology.ts'
import { WorkTime } from '../../stage/work-time.ts'
import { nowhere } from '../assemble.ts'
import type { Execution, Executor, Work } from '../executor.ts'
import { InFlight } from '../in-flight.ts'
import { PipelineSource } from '../pipeline-source.ts'
import { Share } from '../share.ts'
import { workerOf } from '../threads/placement.ts'
import { WorkerPool } from '../threads/worker-pool.ts'

export interface ThreadsOptions {
  /** The longest a worker may take for one batch before the run fails, in milliseconds. */
  readonly maxBatchMs: number
  /** The heap limit of a worker, in MB; Node's own limit if undefined. */
  readonly heapMb: number | undefined
}

/** Stage n of each layer is in the same thread, so that a layer forwards to the next one without a hop. */
export function onThreads(threads: number, options: ThreadsOptions): Executor {
  return { stages: threads, start: (work) => start(work, threads, options) }
}

async function start(work: Work, threads: number, options: ThreadsOptions): Promise<Execution> {
  const { topology, consumers, epochs, signal } = work
  signal?.throwIfAborted()
  const failed = new AbortController()
  let share: Share | undefined
  // The record that crashes a worker can be found only if one is under way at a time.
  const workers = epochs?.resumePoint.isCareful === true ? 1 : threads
  const inFlight = new InFlight(work.inFlight)
  const pool = new WorkerPool({
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
    const channels = await pool.start(waiting)
    waiting.throwIfAborted()
    const taking = new WorkTime()
    // Not measured unless it is shown.
    if (epochs !== undefined) for (const way of channels) way.time = taking
    const own = new Share(topology, {
      ...work,
      epochs: undefined,
      inFlight,
      deployment: {
        isHere: () => false,
        sender: nowhere,
        queue: nowhere,
        receiver: ({ id, from }) => {
          const way = channels[workerOf(from.layer, from.stage, workers)]
          invariant(way !== undefined, `no worker has stage ${from.stage + 1} of layer ${from.layer.number}`)
          const output = way.receiver(id)
          if (epochs !== undefined) output.measure(taking)
          return output
        },
      },
    })
    share = own
    return {
      done: finish(own, pool, failed.signal, work),
      threads: workers,
      placeOf: (layer, stage) => 1 + workerOf(layer, stage, workers),
      takingMs: () => taking.ms,
      figures: (layer) => pool.figures(layer),
      drain: () => pool.drain(),
      tell: (command) => pool.tell(command),
      async cancel(reason) {
        await own.cancel(reason)
        await pool.end(true)
      },
    }
  } catch (error) {
    await pool.end(true)
    for (const consumer of consumers) consumer.cancel(error)
    throw failed.signal.aborted ? failed.signal.reason : error
  }
}

/** How long workers have to send their last counts, once all output has been taken. */
const FINAL_COUNTS_MS = 1000

async function finish(share: Share, pool: WorkerPool, failed: AbortSignal, { epochs, topology }: Work): Promise<void> {
  const isPipeline = epochs !== undefined
  // Everything that workers emitted is committed by now: only acknowledgements are left.
  const isAtOnce = !isPipeline || !needsAck(topology)
  try {
    await share.done
    if (!isPipeline) {
      await inTime(pool.done(), undefined, FINAL_COUNTS_MS)
      failed.throwIfAborted()
    }
    await pool.end(isPipeline && isAtOnce)
  } catch (error) {
    await pool.end(isAtOnce)
    throw failed.aborted ? failed.reason : error
  }
}

function needsAck({ layers }: Topology): boolean {
  return layers.some(({ work }) => {
    return work.kind === 'source' && work.source instanceof PipelineSource && work.source.needsAck === true
  })
}
