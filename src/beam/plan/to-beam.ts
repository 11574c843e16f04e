// A pipeline as a plan of Beam's: impulses, tasks, and the exchanges between them.

import type { MessageInitShape } from '@bufbuild/protobuf'
import { worksOf } from '../../flow/topology.ts'
import type { Messages } from '../wire/messages.ts'
import { CAPABILITIES, CODER, URN } from '../wire/names.ts'
import type { EngineStage } from './engine-stages.ts'
import type { LaidOut } from './laid-out.ts'
import { crossingOutput, opened, openOutput, SPLITS } from './open-groups.ts'
import { type SentJob, type Task, taskBytes } from './task.ts'

export type BeamPlan = MessageInitShape<Messages['PipelineSchema']>
export interface ToBeamOptions {
  readonly job: SentJob
  readonly messages: Messages
  /** Where the engine asks for workers. */
  readonly pool: string
}

/** Coders of collections, by their names in the plan. */
const BYTES = 'bytes'
const PAIR = 'pair'
const GROUP = 'group'
const WINDOW = 'window'

/** As the protocol numbers them. */
const BOUNDED = 2
const NON_MERGING = 1
const DISCARDING = 1
const EARLIEST_IN_PANE = 3
const EMIT_ALWAYS = 1
const FIRE_ALWAYS = 1

/** Every collection is in the global window, and all its elements at the beginning of time: nothing can be late. */
const STRATEGY = 'all'
const ENVIRONMENT = 'sluice'

export function toBeam({ stages, topology }: LaidOut, options: ToBeamOptions): BeamPlan {
  const { messages, job, pool } = options
  const plan = new Plan(messages)
  const opens = opened(stages, topology, job.shards)
  for (const stage of stages) {
    if (stage.sources.length > 0)
      addReading(plan, stage, { job, opens: stage.number === 1 ? opens.map(openOutput) : [] })
    else {
      const inputs = stage.inputs.flatMap((crossing) => [
        crossingOutput(crossing),
        ...(opens.includes(crossing) ? [openOutput(crossing)] : []),
      ])
      addWork(plan, stage, { job, inputs })
    }
  }
  return plan.done(pool)
}

function addReading(
  plan: Plan,
  stage: EngineStage,
  { job, opens }: { readonly job: SentJob; readonly opens: readonly string[] },
): void {
  const { number } = stage
  const impulse = plan.own(`${number} begin`, URN.impulse, {}, BYTES)
  const splits = plan.collection(`${number} ${SPLITS}`, PAIR)
  const outputs = { [SPLITS]: splits, ...plan.collections(opens) }
  plan.task(`${number}: list the parts of ${nameOf(stage)}`, { does: 'list', job, stage: number }, impulse, outputs)
  const spread = plan.own(`${number} spread`, URN.groupByKey, { in: splits }, GROUP)
  plan.task(`${number}: ${nameOf(stage)}`, { does: 'read', job, stage: number }, spread, outputsOf(plan, stage))
}

function addWork(
  plan: Plan,
  stage: EngineStage,
  { job, inputs }: { readonly job: SentJob; readonly inputs: readonly string[] },
): void {
  const { number } = stage
  const all = Object.fromEntries(inputs.map((input, at) => [`in${at}`, input]))
  const [only] = inputs
  const from = inputs.length === 1 && only !== undefined ? only : plan.own(`${number} meet`, URN.flatten, all, PAIR)
  const grouped = plan.own(`${number} group`, URN.groupByKey, { in: from }, GROUP)
  plan.task(`${number}: ${nameOf(stage)}`, { does: 'work', job, stage: number }, grouped, outputsOf(plan, stage))
}

function outputsOf(plan: Plan, { outputs, number }: EngineStage): Record<string, string> {
  // Engines want an output of every task.
  if (outputs.length === 0) return { none: plan.collection(`${number} none`, PAIR) }
  return plan.collections(outputs.map(crossingOutput))
}

/** What a stage does, for people who look at the engine's own page. */
function nameOf({ layers }: EngineStage): string {
  return layers.flatMap(worksOf).join(', ').slice(0, 200)
}

class Plan {
  readonly #messages: Messages
  readonly #transforms: Record<string, MessageInitShape<Messages['PTransformSchema']>> = {}
  readonly #collections: Record<string, MessageInitShape<Messages['PCollectionSchema']>> = {}

  constructor(messages: Messages) {
    this.#messages = messages
  }

  /** Adds a collection; its name tells it apart. */
  collection(name: string, coderId: string): string {
    this.#collections[name] = { uniqueName: name, coderId, isBounded: BOUNDED, windowingStrategyId: STRATEGY }
    return name
  }

  /** Outputs of pairs, whose collections have their names. */
  collections(names: readonly string[]): Record<string, string> {
    return Object.fromEntries(names.map((name) => [name, this.collection(name, PAIR)]))
  }

  /** Adds a transform that the engine does itself; returns the collection that it makes. */
  own(name: string, urn: string, inputs: Record<string, string>, coderId: string): string {
    // Flink's runner takes a collection for the transform of the same name.
    const made = this.collection(`out of ${name}`, coderId)
    this.#transforms[name] = { uniqueName: name, spec: { urn }, inputs, outputs: { out: made } }
    return made
  }

  task(name: string, task: Task, input: string, outputs: Record<string, string>): void {
    const { write, ParDoPayloadSchema } = this.#messages
    const payload = write(ParDoPayloadSchema, { doFn: { urn: URN.task, payload: taskBytes(task) } })
    const spec = { urn: URN.parDo, payload }
    this.#transforms[name] = { uniqueName: name, spec, inputs: { in: input }, outputs, environmentId: ENVIRONMENT }
  }

  done(pool: string): BeamPlan {
    const { write, ExternalPayloadSchema } = this.#messages
    return {
      components: {
        transforms: this.#transforms,
        pcollections: this.#collections,
        coders: {
          [BYTES]: coder(CODER.bytes),
          varint: coder(CODER.varint),
          many: coder(CODER.iterable, BYTES),
          [PAIR]: coder(CODER.kv, 'varint', BYTES),
          [GROUP]: coder(CODER.kv, 'varint', 'many'),
          [WINDOW]: coder(CODER.globalWindow),
        },
        windowingStrategies: {
          [STRATEGY]: {
            windowFn: { urn: URN.globalWindows },
            mergeStatus: NON_MERGING,
            windowCoderId: WINDOW,
            trigger: { trigger: { case: 'default', value: {} } },
            accumulationMode: DISCARDING,
            outputTime: EARLIEST_IN_PANE,
            closingBehavior: EMIT_ALWAYS,
            onTimeBehavior: FIRE_ALWAYS,
            assignsToOneWindow: true,
          },
        },
        environments: {
          [ENVIRONMENT]: {
            urn: URN.external,
            payload: write(ExternalPayloadSchema, { endpoint: { url: pool } }),
            capabilities: [...CAPABILITIES],
          },
        },
      },
      rootTransformIds: Object.keys(this.#transforms),
    }
  }
}

function coder(urn: string, ...componentCoderIds: string[]): MessageInitShape<Messages['CoderSchema']> {
  return { spec: { urn }, componentCoderIds }
}
