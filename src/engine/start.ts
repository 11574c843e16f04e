// Starts a flow: chooses its executor, with the reason.

import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import { describeValue } from '../base/check.ts'
import type { Flow } from '../flow/flow.ts'
import { isFlow } from '../flow/is-flow.ts'
import { layOut } from '../flow/layout.ts'
import { nodesOf, type PlanNode } from '../flow/plan.ts'
import { isSplittable } from '../flow/source.ts'
import type { StageCore } from '../stage/core.ts'
import type { Execution, Executor } from './executor.ts'
import { inline } from './executors/inline.ts'
import { onThreads, type ThreadsOptions } from './executors/threads.ts'
import { FLOW_LAYOUT, type Job, loadJob } from './job.ts'
import type { Settings } from './options.ts'
import type { Choice } from './picture.ts'
import type { RejectionLog } from './rejection-log.ts'

/** A flow; or the URL (or path) of the module that exports it, which lets it run on threads. */
export type Runnable<T> = Flow<T, unknown> | URL | string

/** The most threads that are started by default. */
const MOST_THREADS = 8
/**
 * Below this many bytes, one thread is faster: two need a third of a second to start and warm up, and save, for the
 * flows that were measured, 2 to 12 ms per MB.
 */
const WORTH_THREADS = 64 * 1024 * 1024

/** Starts a flow: its output goes to all `takers`, each getting a part of it. */
export async function startFlow(
  what: string,
  flow: Pick<Flow<never>, 'node'> | URL | string,
  consumers: readonly StageCore[],
  settings: Settings & { readonly rejections: RejectionLog; readonly executor?: Executor | undefined },
  failsInLine = false,
): Promise<Execution> {
  const { clock, rejections, signal, inFlight } = settings
  const job = isFlow(flow) ? undefined : jobOf(what, flow, settings)
  const node = isFlow(flow) ? flow.node : await loadJob(job as Job)
  const executor = settings.executor ?? (await executorOf(what, node, job, settings))
  const { stages = executor.stages } = settings
  const topology = layOut(node, { stages })
  return await executor.start({ topology, stages, job, consumers, clock, rejections, inFlight, signal, failsInLine })
}

async function executorOf(what: string, node: PlanNode, job: Job | undefined, settings: Settings): Promise<Executor> {
  const asked = executorFor(what, 'flow', job, settings)
  if (asked !== undefined || job === undefined) return asked ?? inline
  const { threads } = await choose(node, settings.signal)
  return threads === 0 ? inline : onThreads(threads, settings)
}

/** The executor for the requested threads; undefined if none were requested. */
export function executorFor(
  what: string,
  kind: 'flow' | 'pipeline',
  job: Job | undefined,
  { threads, maxBatchMs, heapMb }: ThreadsOptions & { readonly threads: number | undefined },
): Executor | undefined {
  if (threads === undefined) return undefined
  if (job !== undefined) return onThreads(threads, { maxBatchMs, heapMb })
  const how = `${what}(new URL('./job.ts', import.meta.url), { threads: ${threads} })`
  throw new TypeError(
    `A ${kind} that is passed directly cannot run on threads, as no function crosses a thread: export it from a module and call ${how}`,
  )
}

/** How many threads help: none unless all sources can be read in parallel, and there is enough to read. */
export async function choose(node: PlanNode, signal?: AbortSignal): Promise<Choice> {
  const cores = Math.min(availableParallelism(), MOST_THREADS)
  if (cores < 2) return { threads: 0, why: 'there is one core' }
  const sources = nodesOf(node).flatMap(({ operator }) => (operator.kind === 'source' ? operator.sources : []))
  const whole = sources.find((source) => !isSplittable(source))
  if (whole !== undefined) return { threads: 0, why: 'a source that cannot be read in parallel would feed all threads' }
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
  return { threads: Math.min(cores, splits), why: `${splits} parts can be read in parallel` }
}

/** Where to find the flow of a module, or something else that is laid out by another function. */
export function jobOf(
  what: string,
  given: unknown,
  { name }: Pick<Settings, 'name'>,
  others: Pick<Job, 'laidOutBy' | 'params'> = { laidOutBy: FLOW_LAYOUT },
): Job {
  if (given instanceof URL) return { module: given.href, name, ...others }
  if (typeof given === 'string' && given !== '') {
    return { module: given.startsWith('file:') ? given : pathToFileURL(given).href, name, ...others }
  }
  throw new TypeError(`${what} takes a flow, or the URL of a module that exports one: found ${describeValue(given)}`)
}
