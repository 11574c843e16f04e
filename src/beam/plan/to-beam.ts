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
/** What goes into a transform, and out of it: name → collection. */
interface Ends {
  readonly inputs?: Record<string, string>
  readonly outputs: Record<string, string>
  readonly environmentId?: string
}

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
  const [first, listed, spread] = [`${number} impulse`, `${number} ${SPLITS}`, `${number} spread`]
  plan.add(first, URN.impulse, { outputs: { out: plan.collection(first, BYTES) } })
  const outputs = { [SPLITS]: plan.collection(listed, PAIR), ...plan.collections(opens) }
  plan.task(
    `${number}: list the parts of ${nameOf(stage)}`,
    { does: 'list', job, stage: number },
    { in: first },
    outputs,
  )
  plan.add(spread, URN.groupByKey, { inputs: { in: listed }, outputs: { out: plan.collection(spread, GROUP) } })
  plan.task(`${number}: ${nameOf(stage)}`, { does: 'read', job, stage: number }, { in: spread }, outputsOf(plan, stage))
}

function addWork(
  plan: Plan,
  stage: EngineStage,
  { job, inputs }: { readonly job: SentJob; readonly inputs: readonly string[] },
): void {
  const { number } = stage
  const [met, grouped] = [`${number} meet`, `${number} group`]
  const [only] = inputs
  const from = inputs.length === 1 && only !== undefined ? only : met
  if (from === met) {
    const all = Object.fromEntries(inputs.map((input, at) => [`in${at}`, input]))
    plan.add(met, URN.flatten, { inputs: all, outputs: { out: plan.collection(met, PAIR) } })
  }
  plan.add(grouped, URN.groupByKey, { inputs: { in: from }, outputs: { out: plan.collection(grouped, GROUP) } })
  plan.task(
    `${number}: ${nameOf(stage)}`,
    { does: 'work', job, stage: number },
    { in: grouped },
    outputsOf(plan, stage),
  )
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

  add(name: string, urn: string, ends: Ends, payload: Uint8Array = new Uint8Array()): void {
    this.#transforms[name] = { ...ends, uniqueName: name, spec: { urn, payload } }
  }

  task(name: string, task: Task, inputs: Record<string, string>, outputs: Record<string, string>): void {
    const { write, ParDoPayloadSchema } = this.#messages
    const payload = write(ParDoPayloadSchema, { doFn: { urn: URN.task, payload: taskBytes(task) } })
    this.add(name, URN.parDo, { inputs, outputs, environmentId: ENVIRONMENT }, payload)
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
