// The job endpoint of an engine: a plan is submitted, watched, counted and cancelled.

import type { JsonObject } from '@bufbuild/protobuf'
import { messageOf, SluiceError } from '../../base/errors.ts'
import type { BeamPlan } from '../plan/to-beam.ts'
import { ByteReader } from '../wire/bytes.ts'
import { GrpcClient, GrpcError } from '../wire/client.ts'
import type { Messages } from '../wire/messages.ts'
import { CANCEL, MESSAGES, METRICS, PREPARE, RUN, STAGING } from '../wire/names.ts'
import { NAMESPACE } from '../worker/counts.ts'

export interface Submission {
  readonly name: string
  readonly plan: BeamPlan
  /** Options of the engine's, by their full names. */
  readonly options: JsonObject
}

/** States of a job, as the protocol numbers them. */
const STATES = {
  unspecified: 0,
  stopped: 1,
  running: 2,
  done: 3,
  failed: 4,
  cancelled: 5,
  updated: 6,
  draining: 7,
  drained: 8,
  starting: 9,
  cancelling: 10,
  updating: 11,
} as const
export type JobState = keyof typeof STATES
const ENDS: readonly JobState[] = ['done', 'failed', 'cancelled', 'drained', 'stopped', 'updated']

/** How important messages are: what is below a warning is for the engine's own log. */
const WARNING = 4
const ERROR = 5

/** gRPC's number for a call that the server does not know. */
const UNIMPLEMENTED = 12

/** What an engine says of a job. */
export type Told =
  | { readonly kind: 'state'; readonly state: JobState; readonly isEnd: boolean }
  | { readonly kind: 'message'; readonly text: string; readonly isError: boolean }

export class JobService implements AsyncDisposable {
  readonly #address: string
  readonly #messages: Messages
  readonly #client: GrpcClient

  constructor(address: string, messages: Messages) {
    this.#address = address
    this.#messages = messages
    this.#client = new GrpcClient(address)
  }

  /**
   * Submits a plan; returns the job's id.
   * @throws {SluiceError} ENGINE_UNREACHABLE if nobody listens, or not a job endpoint
   */
  async submit({ name, plan, options }: Submission): Promise<string> {
    const { read, write } = this.#messages
    const { PrepareJobRequestSchema, PrepareJobResponseSchema, RunJobRequestSchema, RunJobResponseSchema } =
      this.#messages
    const asked = write(PrepareJobRequestSchema, { jobName: name, pipeline: plan, pipelineOptions: options })
    const prepared = read(PrepareJobResponseSchema, await this.#first(PREPARE, asked))
    const { preparationId, artifactStagingEndpoint, stagingSessionToken } = prepared
    if (artifactStagingEndpoint !== undefined) await this.#stage(artifactStagingEndpoint.url, stagingSessionToken)
    const running = await this.#client.call(RUN, write(RunJobRequestSchema, { preparationId }))
    return read(RunJobResponseSchema, running).jobId
  }

  /** Everything that the engine says of a job; some say why it failed after they have said that it did. */
  async *watch(jobId: string): AsyncGenerator<Told> {
    const { read, write, JobRequestSchema, JobMessagesResponseSchema } = this.#messages
    const { messages, send, end } = this.#client.open(MESSAGES)
    await send(write(JobRequestSchema, { jobId }))
    end()
    for await (const message of messages) {
      const { response } = read(JobMessagesResponseSchema, message)
      if (response.case === 'messageResponse') {
        const { messageText: text, importance } = response.value
        if (importance >= WARNING) yield { kind: 'message', text, isError: importance >= ERROR }
      } else if (response.case === 'stateResponse') {
        const state = stateOf(response.value.state)
        yield { kind: 'state', state, isEnd: ENDS.includes(state) }
      }
    }
  }

  /** Sluice's own counters, over all workers: those of bundles that are done. */
  async counts(jobId: string): Promise<Record<string, number>> {
    const { read, write, JobRequestSchema, GetJobMetricsResponseSchema } = this.#messages
    const { metrics } = read(
      GetJobMetricsResponseSchema,
      await this.#client.call(METRICS, write(JobRequestSchema, { jobId })),
    )
    const infos = metrics?.committed.length ? metrics.committed : (metrics?.attempted ?? [])
    const counts: Record<string, number> = {}
    for (const { labels, payload } of infos) {
      const { NAMESPACE: namespace, NAME: name } = labels
      if (namespace !== NAMESPACE || name === undefined || payload.length === 0) continue
      counts[name] = (counts[name] ?? 0) + Number(new ByteReader(payload).varint())
    }
    return counts
  }

  async cancel(jobId: string): Promise<void> {
    const { write, JobRequestSchema } = this.#messages
    await this.#client.call(CANCEL, write(JobRequestSchema, { jobId }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
  }

  /** The first call finds out whether an engine is there. */
  async #first(path: string, message: Uint8Array): Promise<Buffer> {
    try {
      return await this.#client.call(path, message)
    } catch (error) {
      const isOther = error instanceof GrpcError && error.status === UNIMPLEMENTED
      // What an engine itself says of a plan is not about reaching it.
      if (error instanceof GrpcError && error.status !== undefined && !isOther) throw error
      const why = isOther ? 'what listens there has no jobs of Beam' : messageOf(error)
      const told = `Cannot submit to ${this.#address}: ${why}; give the job endpoint of a Beam portable runner`
      throw new SluiceError('ENGINE_UNREACHABLE', told, { address: this.#address }, { cause: error })
    }
  }

  /** Nothing is staged: code is on the hosts of workers already. The engine is told that there is no more than it has. */
  async #stage(address: string, token: string): Promise<void> {
    const { read, write, ArtifactRequestWrapperSchema, ArtifactResponseWrapperSchema } = this.#messages
    const client = new GrpcClient(address)
    try {
      const { messages, send } = client.open(STAGING)
      await send(write(ArtifactResponseWrapperSchema, { stagingToken: token }))
      for await (const message of messages) {
        const { request } = read(ArtifactRequestWrapperSchema, message)
        if (request.case !== 'resolveArtifact') continue
        const replacements = request.value.artifacts
        await send(
          write(ArtifactResponseWrapperSchema, {
            isLast: true,
            response: { case: 'resolveArtifactResponse', value: { replacements } },
          }),
        )
      }
    } finally {
      client.destroy()
    }
  }
}

function stateOf(number: number): JobState {
  for (const [name, own] of Object.entries(STATES)) if (own === number) return name as JobState
  return 'unspecified'
}
