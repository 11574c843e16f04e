// Runs the stages of a pipeline on worker threads; what they give comes to this one, which has the sink.

import { InFlight } from '../../engine/in-flight.ts'
import { PipelineSource } from '../../engine/pipeline-source.ts'
import { Crew } from '../../engine/threads/crew.ts'
import type { Job } from '../../engine/threads/job.ts'
import { memberOf, outId } from '../../engine/threads/places.ts'
import type { Topology } from '../../flow/topology.ts'
import { Run } from '../../stage/run.ts'
import { begin, link } from '../../stage/subscribe.ts'
import { WorkTime } from '../../stage/work-time.ts'
import { type Engaged, type Engine, type EngineOptions, IN_FLIGHT, ONE_AT_A_TIME } from './engine.ts'

export interface ThreadsOptions {
  readonly maxBatchMs?: number
  readonly heapMb?: number
}

const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

function isAcknowledged(source: unknown): boolean {
  return source instanceof PipelineSource && source.isAcknowledged === true
}

export function onThreads(job: Job, threads: number, { maxBatchMs = 60_000, heapMb }: ThreadsOptions): Engine {
  return async (options) => await engage(job, threads, { maxBatchMs, heapMb }, options)
}

async function engage(
  job: Job,
  threads: number,
  limits: { readonly maxBatchMs: number; readonly heapMb: number | undefined },
  { topology, taker, account, beginning, ledger, signal }: EngineOptions,
): Promise<Engaged> {
  const failed = new AbortController()
  let run: Run | undefined
  // The record that ends a worker is found where only one is on its way.
  const { isCareful } = beginning
  const workers = isCareful ? 1 : threads
  const inFlightLimits = isCareful ? ONE_AT_A_TIME : IN_FLIGHT
  const inFlight = new InFlight(inFlightLimits)
  const crew = new Crew({
    job,
    entry: ENTRY,
    epochs: { beginning, ledger },
    workers,
    stages: workers,
    inFlight,
    limits: inFlightLimits,
    account,
    tellsLate: false,
    tellsDead: false,
    ...limits,
    onFailure: (error) => {
      failed.abort(error)
      void run?.cancel(error)
    },
  })
  try {
    const waiting = AbortSignal.any(signal === undefined ? [failed.signal] : [failed.signal, signal])
    const wires = await crew.start(topology, waiting)
    waiting.throwIfAborted()
    const outputs = topology.last.flatMap((layer) =>
      Array.from({ length: layer.stages }, (_, stage) => {
        const way = wires[memberOf(layer, stage, workers)]
        if (way === undefined) throw new TypeError(`No worker has stage ${stage + 1} of layer ${layer.number}`)
        return way.receiver(outId({ layer, stage }))
      }),
    )
    const taking = new WorkTime()
    for (const way of wires) way.time = taking
    for (const output of outputs) output.measure(taking)
    const links = outputs.map((output) => inFlight.watch(link(taker, output, inFlight.demand)))
    run = new Run([outputs, [taker]], { signal })
    begin(links)
    const running = run
    return {
      done: finish(running, crew, failed.signal, topology),
      threads: workers,
      takingMs: () => taking.ms,
      figures: (layer) => crew.figures(layer),
      tell: (command) => crew.tell(command),
      async cancel(reason) {
        await running.cancel(reason)
        await crew.end(true)
      },
    }
  } catch (error) {
    await crew.end(true)
    throw failed.signal.aborted ? failed.signal.reason : error
  }
}

async function finish(run: Run, crew: Crew, failed: AbortSignal, { layers }: Topology): Promise<void> {
  // All that workers gave is committed then: only those who sent it may still be told.
  const isAtOnce = !layers.some(({ work }) => work.kind === 'source' && isAcknowledged(work.source))
  try {
    await run.done
    await crew.end(isAtOnce)
  } catch (error) {
    await crew.end(isAtOnce)
    throw failed.aborted ? failed.reason : error
  }
}
