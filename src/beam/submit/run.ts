// Runs a pipeline on an engine: submits it, watches it to its end, and reports what became of its records.

import type { JsonObject } from '@bufbuild/protobuf'
import { systemClock } from '../../base/clock.ts'
import { SluiceError } from '../../base/errors.ts'
import { LEASE_MS, newOwner } from '../../connect/lease.ts'
import type { SinkWriter, Totals } from '../../connect/sink.ts'
import { balanced, NO_TOTALS } from '../../connect/totals.ts'
import { resolveOwnName } from '../../engine/own-name.ts'
import { foldsIn } from '../../flow/topology.ts'
import { PIPELINE_LAYOUT } from '../../pipeline/load.ts'
import { isSecretParam } from '../../pipeline/param.ts'
import { rowsKnown } from '../../pipeline/rows-known.ts'
import { type LaidOut, layOutFor, sha256Of } from '../plan/laid-out.ts'
import { refuseUnportable } from '../plan/refusals.ts'
import type { SentJob } from '../plan/task.ts'
import { toBeam } from '../plan/to-beam.ts'
import { loadMessages, type Messages } from '../wire/messages.ts'
import { failureIn } from '../worker/failure.ts'
import { JobService, type JobState } from './job-service.ts'
import { WorkerPool } from './pool.ts'

export interface BeamRunOptions {
  /** The job endpoint of the engine: `host:port`. */
  readonly address: string
  /** The name under which the module exports the pipeline: `default` by default. */
  readonly name?: string
  /** Parameters as text. */
  readonly params?: ReadonlyMap<string, string>
  /** Where pools of workers listen, beside the engine's own processes; by default this process starts the workers. */
  readonly workerPool?: string
  /** In how many shards events are exchanged, where the plan does not say it: 1,024 by default. */
  readonly shards?: number
  /** How many tasks the engine runs at once; its own default if undefined. */
  readonly parallelism?: number
  /** The heap limit of a worker that this process starts, in MB. */
  readonly heapMb?: number
  /** Further options of the engine: name → value, as `beam:option:NAME:v1`. */
  readonly engineOptions?: Readonly<Record<string, string | number | boolean>>
  /** Receives what a person may want to know, one line each. */
  readonly onNote?: (note: string) => void
  readonly signal?: AbortSignal
}

export interface BeamReport {
  readonly pipeline: string
  readonly totals: Totals
  /** Elements that went from one stage to another. */
  readonly crossed: number
  readonly elapsedMs: number
}

export const SHARDS = 1024
const HOST = '127.0.0.1'
/** Renewals within one lease period. */
const RENEWALS = 3

/**
 * Runs the pipeline of a module on an engine, to its end.
 *
 * @throws {SluiceError} NOT_PORTABLE, ENGINE_UNREACHABLE, PIPELINE_HELD, CHECKPOINT_INVALID; ENGINE_FAILED, or the error
 *   of a worker
 */
export async function runOnBeam(module: URL | string, options: BeamRunOptions): Promise<BeamReport> {
  const { address, name = 'default', params = new Map(), shards = SHARDS, signal } = options
  const startedMs = systemClock.nowMs()
  const messages = await loadMessages()
  resolveOwnName()
  const url = String(module)
  const laidOut = await layOutFor({ module: url, name, params, laidOutBy: PIPELINE_LAYOUT }, shards)
  refuseUnportable(laidOut)
  refuseSecrets(laidOut, params)
  const job: SentJob = {
    module: url,
    name,
    params: Object.fromEntries(params),
    moduleSha256: await sha256Of(url),
    fingerprint: laidOut.fingerprint,
    shards,
    owner: newOwner(),
  }
  const writer = await openSink(laidOut, job.owner)
  const renewing = setInterval(() => void Promise.resolve(writer.renewLease?.()).catch(() => {}), LEASE_MS / RENEWALS)
  try {
    await using service = new JobService(address, messages)
    await using pool = options.workerPool === undefined ? await startPool(messages, options) : undefined
    const plan = toBeam(laidOut, { job, messages, pool: options.workerPool ?? `${HOST}:${pool?.port}` })
    const id = await service.submit({ name: laidOut.pipeline.name, plan, options: engineOptions(options) })
    await watch(service, id, options, signal)
    const { crossed = 0, ...counts } = await service.counts(id)
    const totals = balanced({ ...NO_TOTALS, ...counts }, foldsIn(laidOut.topology))
    return { pipeline: laidOut.pipeline.name, totals, crossed, elapsedMs: systemClock.nowMs() - startedMs }
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

function startPool(messages: Messages, { heapMb, onNote = () => {} }: BeamRunOptions): Promise<WorkerPool> {
  return WorkerPool.listen({ messages, host: HOST, port: 0, root: '/', heapMb, onNote })
}

function engineOptions({ parallelism, engineOptions: own = {} }: BeamRunOptions): JsonObject {
  const given = { ...(parallelism === undefined ? {} : { parallelism, sdk_worker_parallelism: parallelism }), ...own }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [`beam:option:${name}:v1`, value]))
}

async function watch(
  service: JobService,
  id: string,
  { address, onNote }: BeamRunOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const cancel = (): void => void service.cancel(id).catch(() => {})
  signal?.addEventListener('abort', cancel)
  let last: JobState = 'unspecified'
  let failed: string | undefined
  try {
    for await (const told of service.watch(id)) {
      if (told.kind === 'state') last = told.state
      else if (told.isError) failed ??= told.text
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
  const message = `Cannot finish job ${id} at ${address}: it is ${last}: ${why}`
  throw new SluiceError('ENGINE_FAILED', message, { address, job: id, state: last })
}
