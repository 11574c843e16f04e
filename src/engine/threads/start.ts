// Runs the flow of a module on several threads.

import { systemClock } from '../../base/clock.ts'
import { layOut } from '../../flow/layout.ts'
import type { StageCore } from '../../stage/core.ts'
import { Run } from '../../stage/run.ts'
import { begin, link } from '../../stage/subscribe.ts'
import { Account } from '../account.ts'
import { InFlight } from '../in-flight.ts'
import type { FlowRun } from '../inline.ts'
import type { Settings } from '../options.ts'
import { Crew } from './crew.ts'
import { type Job, loadJob } from './job.ts'
import { memberOf, outId } from './places.ts'

/** Starts the flow on worker threads: what it gives goes to all of `takers`, each getting a part of it. */
export async function startThreads(
  job: Job,
  takers: readonly StageCore[],
  threads: number,
  settings: Settings,
  failsInLine = false,
): Promise<FlowRun> {
  const { signal, onLate, onDead, maxBatchMs, heapMb } = settings
  signal?.throwIfAborted()
  const account = new Account(settings)
  const ended = new AbortController()
  let run: Run | undefined
  const stages = settings.stages ?? threads
  const inFlight = new InFlight(settings.inFlight)
  const crew = new Crew({
    job,
    workers: threads,
    stages,
    inFlight,
    limits: settings.inFlight,
    account,
    tellsLate: onLate !== undefined,
    tellsDead: onDead !== undefined,
    maxBatchMs,
    heapMb,
    onFailure: (error) => {
      ended.abort(error)
      void run?.cancel(error)
    },
  })
  try {
    const topology = layOut(await loadJob(job), { stages })
    const waiting = AbortSignal.any(signal === undefined ? [ended.signal] : [ended.signal, signal])
    const wires = await crew.start(topology, waiting)
    waiting.throwIfAborted()
    const outputs = topology.last.flatMap((layer) =>
      Array.from({ length: layer.stages }, (_, stage) => {
        const way = wires[memberOf(layer, stage, threads)]
        if (way === undefined) throw new TypeError(`No worker has stage ${stage + 1} of layer ${layer.number}`)
        return way.receiver(outId({ layer, stage }))
      }),
    )
    const links = takers.flatMap((taker) =>
      outputs.map((output) => inFlight.watch(link(taker, output, inFlight.demand))),
    )
    run = new Run([outputs, takers], { signal, failsInLine })
    begin(links)
    const running = run
    return {
      account,
      drain: () => crew.drain(),
      done: finish(running, crew, ended.signal),
      async cancel(reason) {
        await running.cancel(reason)
        await crew.end(true)
      },
    }
  } catch (error) {
    await crew.end(true)
    for (const taker of takers) taker.cancel(error)
    throw ended.signal.aborted ? ended.signal.reason : error
  }
}

/** The longest that workers have for their last counts, once all that the flow gives has been taken. */
const LAST_WORDS_MS = 1000

async function finish(run: Run, crew: Crew, failed: AbortSignal): Promise<void> {
  try {
    await run.done
    const enough = new AbortController()
    const tooLong = systemClock.sleep(LAST_WORDS_MS, enough.signal).catch(() => {}) // Ended by `enough`.
    await Promise.race([crew.done(), tooLong])
    enough.abort()
    failed.throwIfAborted()
    await crew.end()
  } catch (error) {
    await crew.end(true)
    throw failed.aborted ? failed.reason : error
  }
}
