// Builds the stages of a topology and connects them: all of them, or those of one thread.

import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { type Key, stableHash } from '../base/hash.ts'
import { InvariantError, unreachable } from '../base/invariant.ts'
import type { EpochReports, ResumePoint } from '../checkpoint/epoch-reports.ts'
import { deadLetterOf } from '../flow/dead-letter.ts'
import { fuse } from '../flow/fuse.ts'
import { isProducer, isSplittable } from '../flow/source.ts'
import type { Edge, Exchange, Layer, Topology } from '../flow/topology.ts'
import type { StageCore } from '../stage/core.ts'
import type { DispatcherSpec } from '../stage/dispatcher.ts'
import { broadcast } from '../stage/dispatchers/broadcast.ts'
import { demand } from '../stage/dispatchers/demand.ts'
import { type DROP, partition } from '../stage/dispatchers/partition.ts'
import { from, type Pullable } from '../stage/from.ts'
import type { Link, SubscribeOptions } from '../stage/link.ts'
import { chunkStage } from '../stage/make.ts'
import { coreOf, link } from '../stage/subscribe.ts'
import { WorkTime } from '../stage/work-time.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { type AsyncStageOptions, asyncStage } from './async-stage.ts'
import { type Gate, levelsOf, Place } from './gate.ts'
import type { InFlight } from './in-flight.ts'
import { type Busy, operatorStage } from './operator-stage.ts'
import type { RejectionLog } from './rejection-log.ts'
import { sourceStage } from './source-stage.ts'
import { localQueue, type SplitQueue } from './split-queue.ts'
import { type OwnCounts, StageStats } from './stage-stats.ts'

/** Which stages are built here, and how the others are reached. */
export interface Deployment {
  isHere(layer: Layer, stage: number): boolean
  /** A consumer that sends to a remote stage, or to the consumers of the topology. */
  sender(channel: Channel): StageCore
  /** A producer that emits what a remote stage sends. */
  receiver(channel: Channel): StageCore
  /** The splits of a layer's source, shared by its stages wherever they run. */
  queue(layer: Layer): SplitQueue
}

/** A connection from one stage to another. */
export interface Channel {
  /** The same on both sides, and unique. */
  readonly id: string
  readonly from: StagePlace
  /** Absent: the consumers of the topology. */
  readonly to: StagePlace | undefined
  /** Whether events carry their origins. */
  readonly isTracked: boolean
}

/** A stage of a layer, by its number, from 0. */
export interface StagePlace {
  readonly layer: Layer
  readonly stage: number
}

export interface AssembleOptions {
  readonly clock: Clock
  readonly rejections: RejectionLog
  readonly inFlight: InFlight
  /** Take the output of the topology, each a part of it; none if they are elsewhere. */
  readonly consumers?: readonly StageCore[]
  /** Without one, everything is here. */
  readonly deployment?: Deployment
  readonly busy?: Busy
  /** Of a flow: where its stages hold final results. */
  readonly gate?: Gate
  /** Of a pipeline: where its stages start, and where they report their epochs. */
  readonly epochs?: {
    readonly resumePoint: ResumePoint
    readonly reports: EpochReports
    readonly acknowledgements: Acknowledgements
  }
}

/** What was built; no demand has been sent yet. */
export interface Assembly {
  /** Layer by layer, sources first; with remote senders and receivers, and the consumers. */
  readonly layers: readonly (readonly StageCore[])[]
  /** In the order in which to start them: no stage emits before those below it have asked. */
  readonly links: readonly Link[]
  /** Where events enter: the local stages of sources. */
  readonly sources: readonly StageCore[]
  /** The local stages, for their figures. */
  readonly stats: readonly StageStats[]
}

const HERE: Deployment = {
  isHere: () => true,
  sender: nowhere,
  receiver: nowhere,
  queue: (layer) => localQueue(sourceOf(layer)),
}

/** For a deployment that never needs it. */
export function nowhere(): never {
  throw new InvariantError('a stage is on neither side of a channel')
}

export function assemble(topology: Topology, options: AssembleOptions): Assembly {
  return new Assembling(topology, options).assembly()
}

/** A stage of a layer as those below see it: where they subscribe, by the edge they take from. */
interface Built {
  readonly first: StageCore
  readonly outlets: Map<Edge | 'out', StageCore>
}

class Assembling {
  readonly #topology: Topology
  readonly #options: AssembleOptions
  readonly #deployment: Deployment
  readonly #layers: StageCore[][] = []
  readonly #links: Link[] = []
  readonly #placed: StageStats[] = []
  readonly #levels: ReadonlyMap<Layer, number>
  /** Layer → its local stages, by number. */
  readonly #built = new Map<Layer, ReadonlyMap<number, Built>>()
  /** Layer → what takes from it. */
  readonly #consumers = new Map<Layer, { readonly edge: Edge | 'out'; readonly to: Layer | undefined }[]>()

  constructor(topology: Topology, options: AssembleOptions) {
    this.#topology = topology
    this.#options = options
    this.#deployment = options.deployment ?? HERE
    this.#levels = levelsOf(topology)
    for (const layer of topology.layers) this.#consumers.set(layer, [])
    for (const layer of topology.layers) {
      for (const edge of layer.inputs) this.#consumers.get(edge.from)?.push({ edge, to: layer })
    }
    for (const layer of topology.last) this.#consumers.get(layer)?.push({ edge: 'out', to: undefined })
    for (const layer of topology.layers) this.#build(layer)
  }

  assembly(): Assembly {
    const ends = this.#end()
    const sources = this.#topology.layers
      .filter(({ work }) => work.kind === 'source')
      .flatMap((layer) => [...(this.#built.get(layer)?.values() ?? [])].map(({ first }) => first))
    return { layers: this.#layers, links: [...ends, ...this.#links.toReversed()], sources, stats: this.#placed }
  }

  /** Connects the output of the topology to its consumers, or to senders. */
  #end(): Link[] {
    const { consumers, inFlight } = this.#options
    /** What carries events to and from here. */
    const carriers: StageCore[] = []
    const outputs: StageCore[] = []
    const links: Link[] = []
    const { last, isTracked = false } = this.#topology
    for (const layer of last) {
      for (let stage = 0; stage < layer.stages; stage += 1) {
        const channel = { id: `out:${layer.number}-${stage}`, from: { layer, stage }, to: undefined, isTracked }
        const built = this.#built.get(layer)?.get(stage)
        const output = built?.outlets.get('out') ?? built?.first
        if (consumers === undefined) {
          if (output === undefined) continue
          const sender = this.#deployment.sender(channel)
          carriers.push(sender)
          links.push(link(sender, output, { demand: 'manual' }))
        } else if (output === undefined) {
          const receiver = this.#deployment.receiver(channel)
          carriers.push(receiver)
          outputs.push(receiver)
        } else outputs.push(output)
      }
    }
    for (const consumer of consumers ?? []) {
      for (const output of outputs) links.push(inFlight.watch(link(consumer, output, inFlight.demand)))
    }
    this.#layers.push(carriers, [...(consumers ?? [])])
    return links
  }

  #build(layer: Layer): void {
    const built = new Map<number, Built>()
    this.#built.set(layer, built)
    const own: StageCore[] = []
    this.#layers.push(own)
    let queue: SplitQueue | undefined
    for (let stage = 0; stage < layer.stages; stage += 1) {
      if (!this.#deployment.isHere(layer, stage)) {
        this.#send(layer, stage)
        continue
      }
      if (layer.work.kind === 'source' && isSplittable(layer.work.source)) queue ??= this.#deployment.queue(layer)
      const consumers = this.#consumers.get(layer) ?? []
      const dispatcher =
        consumers.length > 1 ? broadcast() : this.#dispatcher(consumers[0]?.edge ?? 'out', consumers[0]?.to)
      const time = new WorkTime()
      const ownCounts: OwnCounts = { received: 0, counts: { filtered: 0, derived: 0 }, busyMs: () => 0 }
      const { gate } = this.#options
      const place = gate === undefined ? undefined : new Place(gate, this.#levels.get(layer) ?? 0, layer)
      const counted = { time, ownCounts, place }
      const chain = this.#stagesOf(layer, stage, dispatcher as DispatcherSpec<unknown, never>, queue, counted)
      place?.watch(chain.at(-1))
      // Not measured unless it is shown.
      if (this.#options.epochs !== undefined) for (const core of chain) core.measure(time)
      this.#placed.push(new StageStats(layer.number, stage, chain, ownCounts))
      own.push(...chain)
      for (let i = 1; i < chain.length; i += 1) this.#tie(chain[i], chain[i - 1])
      const [first] = chain
      const last = chain.at(-1)
      if (first === undefined || last === undefined) throw new TypeError(`Layer ${layer.number} has no stages`)
      const outlets = new Map<Edge | 'out', StageCore>()
      built.set(stage, { first, outlets })
      this.#take(layer, stage, first)
      for (const { edge, to } of consumers) outlets.set(edge, consumers.length > 1 ? this.#relay(last, edge, to) : last)
    }
  }

  /** Connects a stage to all of its inputs, which are numbered in this order. */
  #take(layer: Layer, stage: number, consumer: StageCore): void {
    for (const channel of this.#channels(layer, stage)) {
      const above = this.#built.get(channel.from.layer)?.get(channel.from.stage)
      if (above === undefined) {
        const receiver = this.#deployment.receiver(channel)
        this.#layers.at(-1)?.unshift(receiver)
        this.#tie(consumer, receiver)
      } else this.#tie(consumer, above.outlets.get(channel.edge), optionsOf(channel.edge.exchange, stage))
    }
  }

  /** Sends to a remote stage what local stages have for it. */
  #send(layer: Layer, stage: number): void {
    for (const channel of this.#channels(layer, stage)) {
      const above = this.#built.get(channel.from.layer)?.get(channel.from.stage)
      if (above === undefined) continue
      const sender = this.#deployment.sender(channel)
      this.#layers.at(-1)?.push(sender)
      this.#tie(sender, above.outlets.get(channel.edge), {
        ...optionsOf(channel.edge.exchange, stage),
        demand: 'manual',
      })
    }
  }

  *#channels(layer: Layer, stage: number): Generator<Channel & { readonly edge: Edge; readonly to: StagePlace }> {
    for (const [index, edge] of layer.inputs.entries()) {
      for (let above = 0; above < edge.from.stages; above += 1) {
        if (edge.exchange.kind === 'forward' && above !== stage) continue
        const id = `${layer.number}.${index}:${above}-${stage}`
        const { isTracked = false } = edge
        yield { id, edge, from: { layer: edge.from, stage: above }, to: { layer, stage }, isTracked }
      }
    }
  }

  /** For one of several consumers: a stage that passes on the same events, with a dispatcher of its own. */
  #relay(last: StageCore, edge: Edge | 'out', to: Layer | undefined): StageCore {
    const dispatcher = this.#dispatcher(edge, to) as DispatcherSpec<unknown, never>
    const relay = chunkStage('producer-consumer', { name: 'relay', dispatcher, onEvents: (events) => events })
    this.#layers.at(-1)?.push(relay)
    this.#tie(relay, last)
    return relay
  }

  #tie(below: StageCore | undefined, above: StageCore | undefined, options: SubscribeOptions = {}): void {
    const { inFlight } = this.#options
    this.#links.push(inFlight.watch(link(below, above, { ...inFlight.demand, ...options })))
  }

  #dispatcher(edge: Edge | 'out', to: Layer | undefined): DispatcherSpec<unknown, unknown> {
    const stages = to?.stages ?? 1
    if (edge === 'out' || stages === 1) return demand() as DispatcherSpec<unknown, unknown>
    const { exchange } = edge
    if (exchange.kind === 'key') {
      const key = exchange.key as (event: unknown) => Key
      return partition({ partitions: stages, hash: (event) => stableHash(key(event)) % stages }) as never
    }
    if (exchange.kind === 'hash') {
      const hash = exchange.hash as (event: unknown) => number | typeof DROP
      return partition({ partitions: stages, hash }) as never
    }
    return demand() as DispatcherSpec<unknown, unknown>
  }

  /**
   * What a stage of async calls reports in a pipeline: a dead letter for each event whose call failed, and its
   * barriers.
   */
  #telling(
    operator: string,
    stage: string,
    { resumePoint, reports }: NonNullable<AssembleOptions['epochs']>,
  ): Pick<AsyncStageOptions, 'refused' | 'onBarrier' | 'onEnded'> {
    return {
      refused: (event, error, barriers) => {
        const reason = messageOf(error)
        this.#options.rejections.dead(operator, event.at(0), reason)
        reports.deadLetters(resumePoint.epoch + 1 + barriers, [deadLetterOf(operator, event, 0, reason)])
      },
      // Dead letters of calls are reported before the barrier, so that they arrive first.
      onBarrier: (epoch) => reports.stage({ epoch, stage, counts: {}, states: new Map(), tookMs: 0 }),
      onEnded: () => reports.ended({}),
    }
  }

  #stagesOf(
    layer: Layer,
    stage: number,
    dispatcher: DispatcherSpec<unknown, never>,
    queue: SplitQueue | undefined,
    counted: { readonly time: WorkTime; readonly ownCounts: OwnCounts; readonly place: Place | undefined },
  ): StageCore[] {
    const { work, stages } = layer
    const { rejections, clock, inFlight, busy, epochs } = this.#options
    const partition = { index: stage, total: stages }
    const common = { layer: layer.number, partition, dispatcher, clock, rejections, busy, epochs, ...counted }
    const name = `layer ${layer.number}, stage ${stage + 1}`
    switch (work.kind) {
      case 'source': {
        const { source } = work
        if (queue !== undefined && isSplittable(source)) {
          const reading = { source, queue, steps: fuse(work.steps ?? []), meter: inFlight.meter() }
          return [sourceStage({ ...common, ...reading, name: work.name })]
        }
        if (!isProducer(source)) return [coreOf(from(source as Pullable<unknown>, { name: work.name, dispatcher }))]
        // A stage of the user's own has its own dispatcher: a stage after it has the required one.
        const hand = chunkStage('producer-consumer', { name, dispatcher, onEvents: (events) => events })
        return [coreOf(source), hand]
      }
      case 'steps': {
        const inputs = [...this.#channels(layer, stage)].length
        const meters = [inFlight.meter(), inFlight.meter()] as const
        return [operatorStage({ ...common, name, inputs, steps: fuse(work.steps), meters })]
      }
      case 'mapAsync': {
        const settings = shareOf(work.settings, stage, stages)
        const told = epochs === undefined ? {} : this.#telling(work.name, `${layer.number}/${stage}`, epochs)
        const { ownCounts } = counted
        const calls = { name: work.name, make: work.make as never, settings, dispatcher, clock, ownCounts }
        return [asyncStage({ ...calls, ...told })]
      }
      case 'throughStages': {
        const hand = chunkStage('producer-consumer', { name, dispatcher, onEvents: (events) => events })
        return [...work.make().map(coreOf), hand]
      }
      default:
        return unreachable(work)
    }
  }
}

function optionsOf({ kind }: Exchange, stage: number): SubscribeOptions {
  return kind === 'key' || kind === 'hash' ? { partition: stage } : {}
}

interface Shared {
  readonly concurrency: number
  readonly ratePerSecond: number | undefined
}

/** One stage's share of what all of them together may do. */
function shareOf<S extends Shared>(settings: S, stage: number, stages: number): S {
  const { concurrency, ratePerSecond } = settings
  const own = Math.floor(concurrency / stages) + (stage < concurrency % stages ? 1 : 0)
  const rate = ratePerSecond === undefined ? undefined : ratePerSecond / stages
  return { ...settings, concurrency: own, ratePerSecond: rate }
}

function sourceOf({ work }: Layer): Parameters<typeof localQueue>[0] {
  if (work.kind === 'source' && isSplittable(work.source)) return work.source
  throw new TypeError('A layer without a source has no splits')
}
