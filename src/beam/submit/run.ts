// Runs a pipeline on an engine: submits it, watches it to its end, and reports what became of its records.

import type { JsonObject } from '@bufbuild/protobuf'
import { systemClock } from '../../base/clock.ts'
import { SluiceError } from '../../base/errors.ts'
import { keepingAlive } from '../../base/keep-alive.ts'
import { aFunction, anything, type Checks, checkOptions, fitting, trueOrFalse } from '../../base/options.ts'
import { LEASE_MS, newOwner } from '../../connect/lease.ts'
import type { SinkWriter } from '../../connect/sink.ts'
import { resolveOwnName } from '../../engine/own-name.ts'
import { jobOf } from '../../engine/start.ts'
import { DeadLetterLimit, type MaxDeadLetters } from '../../pipeline/dead-letter-limit.ts'
import { PIPELINE_LAYOUT } from '../../pipeline/load.ts'
import { isSecretParam } from '../../pipeline/param.ts'
import { rowsKnown } from '../../pipeline/rows-known.ts'
import { type LaidOut, layOutFor, sha256Of } from '../plan/laid-out.ts'
import { refuseUnportable } from '../plan/refusals.ts'
import type { SentJob } from '../plan/task.ts'
import { toBeam } from '../plan/to-beam.ts'
import { loadMessages, type Messages } from '../wire/messages.ts'
import { failureIn } from '../worker/failure.ts'
import { type Engine, SHARDS } from './engine.ts'
import { JobService, type JobState, type Told } from './job-service.ts'
import { WorkerPool } from './pool.ts'
import { type EngineReport, reportOf } from './report.ts'

export interface RunOnOptions {
  /** Where it runs. */
  readonly on: Engine
  /** The name under which the module exports the pipeline: `default` by default. */
  readonly name?: string
  /** Parameters as text, as the command line gives them. */
  readonly params?: ReadonlyMap<string, string>
  /** Any dead letter fails the run in the end: the same as `maxDeadLetters: { count: 0 }`. */
  readonly strict?: boolean
  /** The most dead letters before the run counts as failed, judged at its end. No limit by default. */
  readonly maxDeadLetters?: MaxDeadLetters
  /** Receives what the engine and its workers say, one line each. */
  readonly onNote?: (note: string) => void
  /** Aborting asks the engine to cancel the job; `run` then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

const OPTIONS: Checks<RunOnOptions> = {
  on: fitting((value) => (value as Partial<Engine> | undefined)?.kind === 'beam', "beam('host:port')"),
  name: anything,
  params: fitting((value) => value instanceof Map, 'a Map, name → text'),
  strict: trueOrFalse,
  maxDeadLetters: anything,
  onNote: aFunction,
  signal: anything,
}

const HOST = '127.0.0.1'
/** How long an engine has to say why a job failed, once it has said that it did. */
const LAST_WORDS_MS = 2000
/** Renewals within one lease period. */
const RENEWALS = 3

/**
 * Runs the pipeline of a module on an engine, to its end.
 *
 * - **Reads everything**: positions of local runs are neither used nor kept. A store that has some is refused.
 * - **Writes** rows and dead letters by their keys, in transactions of the workers: a part that is done again overwrites
 *   what it wrote. Which of several rows of one key stays is not determined.
 * - **Workers** import the module from where it is, and refuse it if its text differs from the one submitted.
 *
 * @param job - the URL, or the path, of the module
 * @throws {SluiceError} NOT_PORTABLE with all that cannot run there; ENGINE_UNREACHABLE; PIPELINE_HELD;
 *   CHECKPOINT_INVALID; TOO_MANY_DEAD_LETTERS; ENGINE_FAILED, or the error of a worker
 */
export async function run(job: URL | string, options: RunOnOptions): Promise<EngineReport> {
  checkOptions('run', options, OPTIONS)
  const { on, name = 'default', params = new Map(), signal } = options
  const { shards = SHARDS } = on
  const limit = new DeadLetterLimit(options.strict === true ? { count: 0 } : options.maxDeadLetters)
  const startedMs = systemClock.nowMs()
  signal?.throwIfAborted()
  const messages = await loadMessages()
  resolveOwnName()
  const found = jobOf('run', job, { name }, { laidOutBy: PIPELINE_LAYOUT, params })
  const laidOut = await layOutFor(found, shards)
  refuseUnportable(laidOut)
  refuseSecrets(laidOut, params)
  const { module } = found
  const sent: SentJob = {
    module,
    name,
    params: Object.fromEntries(params),
    moduleSha256: await sha256Of(module),
    fingerprint: laidOut.fingerprint,
    shards,
    owner: newOwner(),
  }
  const counts = await keepingAlive(submitted(laidOut, sent, messages, options))
  const report = await reportOf(laidOut, counts, Math.round(systemClock.nowMs() - startedMs))
  const { read = 0, dead = 0 } = counts
  limit.add(report.firstDeadLetters)
  limit.count = dead
  if (limit.isOver(read, true)) throw limit.error(read, report.deadLetters)
  return report
}

/** Runs the job to its end; returns what its workers counted. */
async function submitted(
  laidOut: LaidOut,
  job: SentJob,
  messages: Messages,
  options: RunOnOptions,
): Promise<Record<string, number>> {
  const { on } = options
  const writer = await openSink(laidOut, job.owner)
  const renewing = setInterval(() => void Promise.resolve(writer.renewLease?.()).catch(() => {}), LEASE_MS / RENEWALS)
  try {
    await using service = new JobService(on.address, messages)
    await using pool = on.workerPool === undefined ? await startPool(messages, options) : undefined
    const plan = toBeam(laidOut, { job, messages, pool: on.workerPool ?? `${HOST}:${pool?.port}` })
    const id = await service.submit({ name: laidOut.pipeline.name, plan, options: engineOptions(on) })
    await watch(service, id, options, async () => await pool?.lost())
    return await service.counts(id)
  } finally {
    clearInterval(renewing)
    await writer.close()
  }
}

/** Holds the lease; makes what the sink knows to make. A run on an engine reads everything: a stored position would lie. */
async function openSink({ pipeline, parts }: LaidOut, owner: string): Promise<SinkWriter<unknown>> {
  const writer = await parts.sink.open({ pipeline: pipeline.name, owner, ...(await rowsKnown(parts, {})) })
  if (writer.checkpoint === undefined) return writer
  await writer.close()
  const found = `${parts.sink.title} has the checkpoint of a local run, and an engine reads everything again`
  const way = 'use another name for the pipeline, or sluice checkpoints FILE reset'
  const message = `Cannot run ${pipeline.name} on an engine: ${found}; ${way}`
  throw new SluiceError('CHECKPOINT_INVALID', message, { pipeline: pipeline.name, found })
}

/** What must not be shown must not be sent, either: an engine shows the options of its jobs. */
function refuseSecrets({ pipeline }: LaidOut, params: ReadonlyMap<string, string>): void {
  for (const [name, param] of Object.entries(pipeline.params)) {
    if (!params.has(name) || !isSecretParam(name, param)) continue
    const way = 'leave it out, and let the module read it from the environment of each worker'
    const message = `Cannot send parameter ${name} of ${pipeline.name} to workers: it is a secret; ${way}`
    throw new SluiceError('CONFIG_INVALID', message, { key: name, value: undefined, allowed: way })
  }
}

function startPool(messages: Messages, { on: { heapMb }, onNote = () => {} }: RunOnOptions): Promise<WorkerPool> {
  return WorkerPool.listen({ messages, host: HOST, port: 0, root: '/', heapMb, onNote })
}

/** A worker for each task that is at work at once, unless something else is asked for. */
function engineOptions({ parallelism, engineOptions: own = {} }: Engine): JsonObject {
  const asked = { ...(parallelism === undefined ? {} : { parallelism }), ...own }
  const workers = asked.parallelism === undefined ? {} : { sdk_worker_parallelism: asked.parallelism }
  return Object.fromEntries(
    Object.entries({ ...workers, ...asked }).map(([name, value]) => [`beam:option:${name}:v1`, value]),
  )
}

async function watch(
  service: JobService,
  id: string,
  { on: { address }, onNote, signal }: RunOnOptions,
  lost: () => Promise<string | undefined>,
): Promise<void> {
  const cancel = (): void => void service.cancel(id).catch(() => {})
  signal?.addEventListener('abort', cancel)
  let last: JobState = 'unspecified'
  let failed: string | undefined
  let isOver = false
  const words = service.watch(id)[Symbol.asyncIterator]()
  try {
    while (last !== 'done' && !(isOver && failed !== undefined)) {
      const next: Promise<IteratorResult<Told>> = words.next()
      const found: IteratorResult<Told> | undefined = isOver ? await orSilence(next) : await next
      if (found === undefined || found.done === true) break
      const told: Told = found.value
      if (told.kind === 'state') {
        last = told.state
        isOver = told.isEnd
      } else if (told.isError) failed ??= told.text
      else onNote?.(told.text)
    }
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
  signal?.throwIfAborted()
  if (last === 'done') return
  const own = failed === undefined ? undefined : failureIn(failed)
  if (own !== undefined) throw own
  const why = failed ?? 'the engine did not say why'
  const found = await lost()
  const way = 'give workers more memory if they ran out of it, and the engine a restart strategy'
  const by = found === undefined ? '' : `; a worker has ended by itself (${found}): ${way}`
  const message = `Cannot finish job ${id} at ${address}: it is ${last}: ${why}${by}`
  throw new SluiceError('ENGINE_FAILED', message, { address, job: id, state: last })
}

/** Undefined if nothing comes in time: the connection is closed then. */
async function orSilence<T>(next: Promise<T>): Promise<T | undefined> {
  next.catch(() => {})
  return await Promise.race([next, systemClock.sleep(LAST_WORDS_MS).then(() => undefined)])
}
