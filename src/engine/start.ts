// Starts a flow: here, or on worker threads.

import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import { describeValue } from '../base/check.ts'
import type { Flow } from '../flow/flow.ts'
import { isFlow } from '../flow/is-flow.ts'
import { nodesOf, type PlanNode } from '../flow/plan.ts'
import { isSplittable } from '../flow/source.ts'
import type { StageCore } from '../stage/core.ts'
import { type FlowRun, startInline } from './inline.ts'
import type { Settings } from './options.ts'
import { type Job, loadJob } from './threads/job.ts'
import { startThreads } from './threads/start.ts'

/** A flow; or the URL (or path) of the module that exports it, which is how it can run on threads. */
export type Runnable<T> = Flow<T, unknown> | URL | string

/** The most threads that are started unasked. */
const MOST_THREADS = 8
/**
 * Less to read than this, in bytes, is done sooner in one thread: two need a third of a second to start and to warm up,
 * and save, of the measured flows, from 2 to 12 ms for each MB.
 */
const WORTH_THREADS = 64 * 1024 * 1024

/** What the engine has decided on, and why. */
export interface Choice {
  /** 0: this thread. */
  readonly threads: number
  readonly why: string
}

export async function startFlow(
  what: string,
  flow: Pick<Flow<never>, 'node'> | URL | string,
  takers: readonly StageCore[],
  settings: Settings,
  failsInLine = false,
): Promise<FlowRun> {
  if (isFlow(flow)) {
    refuseThreads(what, settings)
    return startInline(flow.node, takers, settings, failsInLine)
  }
  const job = jobOf(what, flow, settings)
  const { threads = (await choose(await loadJob(job), settings.signal)).threads } = settings
  if (threads > 0) return await startThreads(job, takers, threads, settings, failsInLine)
  return startInline(await loadJob(job), takers, settings, failsInLine)
}

/** How many threads help: none unless all sources can be read side by side, and there is enough to read. */
export async function choose(node: PlanNode, signal?: AbortSignal): Promise<Choice> {
  const cores = Math.min(availableParallelism(), MOST_THREADS)
  if (cores < 2) return { threads: 0, why: 'there is one core' }
  const sources = nodesOf(node).flatMap(({ operator }) => (operator.kind === 'source' ? operator.sources : []))
  const whole = sources.find((source) => !isSplittable(source))
  if (whole !== undefined)
    return { threads: 0, why: 'a source that cannot be read side by side would feed all threads' }
  let bytes = 0
  let splits = 0
  for (const source of sources.filter(isSplittable)) {
    for (const { sizeBytes = Number.POSITIVE_INFINITY } of await source.splits(
      signal === undefined ? {} : { signal },
    )) {
      bytes += sizeBytes
      splits += 1
    }
  }
  if (splits < 2) return { threads: 0, why: 'there is one part to read' }
  if (bytes < WORTH_THREADS) return { threads: 0, why: `there is less to read than ${WORTH_THREADS / 1024 / 1024} MiB` }
  return { threads: Math.min(cores, splits), why: `${splits} parts can be read side by side` }
}

/** Where the flow of a module is found. */
export function jobOf(what: string, given: unknown, { name }: Pick<Settings, 'name'>): Job {
  if (given instanceof URL) return { module: given.href, name }
  if (typeof given === 'string' && given !== '') {
    return { module: given.startsWith('file:') ? given : pathToFileURL(given).href, name }
  }
  throw new TypeError(`${what} takes a flow, or the URL of a module that exports one: found ${describeValue(given)}`)
}

function refuseThreads(what: string, { threads }: Settings): void {
  if (threads === undefined) return
  const how = `${what}(new URL('./job.ts', import.meta.url), { threads: ${threads} })`
  throw new TypeError(
    `A flow that is handed over cannot run on threads, as no function crosses a thread: export it from a module and call ${how}`,
  )
}
