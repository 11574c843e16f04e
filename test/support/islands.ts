// An executor of which every stage is an island: all that goes between two of them is cloned, and comes late.

import { invariant } from '../../src/base/invariant.ts'
import { untilAborted } from '../../src/base/promise.ts'
import type { Split } from '../../src/connect/source.ts'
import { nowhere } from '../../src/engine/assemble.ts'
import type { Execution, Executor, Work } from '../../src/engine/executor.ts'
import { FarGate, LocalGate } from '../../src/engine/gate.ts'
import { InFlight } from '../../src/engine/in-flight.ts'
import type { JobLayout } from '../../src/engine/job.ts'
import { RejectionLog } from '../../src/engine/rejection-log.ts'
import { deliver, reportsBy } from '../../src/engine/sent-reports.ts'
import { Share } from '../../src/engine/share.ts'
import type { SplitQueue } from '../../src/engine/split-queue.ts'
import { Channels } from '../../src/engine/threads/channels.ts'
import { failureOf, workerFailed } from '../../src/engine/threads/failure.ts'
import type { ChannelMessage, FromWorker, ToWorker } from '../../src/engine/threads/message.ts'
import { isSplittable } from '../../src/flow/source.ts'
import { fingerprintOf, type Layer, type Topology } from '../../src/flow/topology.ts'
import { below, seededRandom } from '../../src/testing/random.ts'

/** The longest that a message is under way, in turns of the event loop. */
const LATE_TURNS = 5

/** An executor of `stages` stages to a layer; every message takes as long as chance says, and keeps its place in its queue. */
export function islands(stages: number, seed: number): Executor {
  return { stages, start: (work) => start(work, seededRandom(seed)) }
}

/** Islands hear and say what workers do, but for what is in shared memory: they ask for their splits, one by one. */
type ToIsland =
  | Exclude<ToWorker, { readonly kind: 'start' }>
  | { readonly kind: 'split'; readonly split: Split | undefined }
type FromIsland = FromWorker | { readonly kind: 'wantsSplit'; readonly layer: number }

async function start(work: Work, random: () => number): Promise<Execution> {
  const { job, epochs, signal, stages, rejections, topology } = work
  signal?.throwIfAborted()
  const splits = await splitsOf(topology)
  const islands: Island[] = []
  const ports = new Ports(random)
  const failed = new AbortController()
  const isOver = Promise.withResolvers<void>()
  const tellAll = (message: ToIsland): void => {
    for (const island of islands) island.tell(message)
  }
  const gate = new LocalGate(topology, (level) => tellAll({ kind: 'passed', level }))
  const places = topology.layers.flatMap((layer) =>
    Array.from({ length: layer.stages }, (_, stage) => ({ layer, stage })),
  )
  const fail = (error: unknown): void => {
    failed.abort(error)
    void taking.cancel(error)
  }
  const hear = (index: number, message: FromIsland): void => {
    try {
      if (message.kind === 'late') for (const event of message.events) rejections.late(message.operator, event)
      else if (message.kind === 'dead') rejections.dead(message.operator, message.value, message.reason)
      else if (message.kind === 'arrived') gate.arrive(message.level)
      else if (message.kind === 'report' && epochs !== undefined) deliver(epochs.reports, message.entry)
      else if (message.kind === 'failed') fail(workerFailed(index, places.length, message.failure))
      else if (message.kind === 'done') islands[index]?.done.resolve()
      else if (message.kind === 'wantsSplit')
        islands[index]?.tell({ kind: 'split', split: splits.get(message.layer)?.shift() })
    } catch (error) {
      fail(error)
    }
  }
  for (const [index, { layer, stage }] of places.entries()) {
    // Each has a topology of its own where there is a module to make it of.
    const own = job === undefined ? topology : await laidOut(job, stages)
    invariant(fingerprintOf(own) === fingerprintOf(topology), 'every island lays the same out')
    const up = new Slow<FromIsland>(random, (message) => hear(index, message))
    islands.push(new Island({ work, topology: own, layer, stage, ports, up }, random))
  }
  const inFlight = new InFlight(work.inFlight)
  for (const island of islands) island.start()
  const taking = new Share(topology, {
    ...work,
    epochs: undefined,
    inFlight,
    deployment: {
      isHere: () => false,
      sender: nowhere,
      queue: nowhere,
      receiver: ({ id }) => ports.wires(id, 'receives', inFlight).receiver(id),
    },
  })
  const endAll = async (): Promise<void> => {
    isOver.resolve()
    await Promise.all(islands.map((island) => island.end()))
  }
  const done = async (): Promise<void> => {
    try {
      await taking.done
      if (epochs === undefined) {
        const ends = Promise.all(islands.map((island) => island.done.promise))
        await Promise.race([ends, new Promise((resolve) => failed.signal.addEventListener('abort', resolve))])
        failed.signal.throwIfAborted()
      }
    } catch (error) {
      throw failed.signal.aborted ? failed.signal.reason : error
    } finally {
      await endAll()
    }
  }
  const running = done()
  running.catch(() => {}) // Looked at by whoever waits for the run.
  return {
    done: running,
    threads: 0,
    placeOf: (layer, stage) => 1 + places.findIndex((one) => one.layer === layer && one.stage === stage),
    takingMs: () => 0,
    figures: (layer) => islands.flatMap((island) => island.figures(layer)),
    drain: () => tellAll({ kind: 'drain' }),
    tell: (command) => tellAll({ kind: 'command', command }),
    async cancel(reason) {
      await taking.cancel(reason)
      await endAll()
    },
  }
}

interface IslandOptions {
  readonly work: Work
  readonly topology: Topology
  readonly layer: Layer
  readonly stage: number
  readonly ports: Ports
  readonly up: Slow<FromIsland>
}

/** One stage of one layer. */
class Island {
  readonly done: PromiseWithResolvers<void> = Promise.withResolvers()
  readonly #options: IslandOptions
  readonly #rejections: RejectionLog
  readonly #gate: FarGate
  readonly #down: Slow<ToIsland>
  readonly #isOver = Promise.withResolvers<void>()
  /** Splits that it waits for: they come in the order in which it asked. */
  readonly #asked: PromiseWithResolvers<Split | undefined>[] = []
  #share: Share | undefined

  constructor(options: IslandOptions, random: () => number) {
    const { up } = options
    this.#options = options
    this.#rejections = new RejectionLog({
      onLate: (operator, event) => up.send({ kind: 'late', operator, events: [event] }),
      onDead: (refused) => up.send({ kind: 'dead', ...refused }),
    })
    this.#gate = new FarGate((level) => up.send({ kind: 'arrived', level }))
    this.#down = new Slow<ToIsland>(random, (message) => this.#hear(message))
  }

  tell(message: ToIsland): void {
    this.#down.send(message)
  }

  start(): void {
    const { work, topology, layer, stage, ports, up } = this.#options
    const inFlight = new InFlight(work.inFlight)
    const { resumePoint } = work.epochs ?? {}
    const reports = reportsBy((entry) => up.send({ kind: 'report', entry }))
    this.#share = new Share(topology, {
      clock: work.clock,
      rejections: this.#rejections,
      inFlight,
      isOver: this.#isOver.promise,
      ...(resumePoint === undefined
        ? { gate: this.#gate }
        : { epochs: { resumePoint: structuredClone(resumePoint), reports } }),
      deployment: {
        isHere: (one, at) => one.number === layer.number && at === stage,
        sender: ({ id, isTracked }) => ports.wires(id, 'sends', inFlight).sender(id, isTracked),
        receiver: ({ id }) => ports.wires(id, 'receives', inFlight).receiver(id),
        queue: (one) => this.#queue(one),
      },
    })
    this.#share.done.then(
      () => up.send({ kind: 'done', late: new Map(), dead: new Map(), ahead: new Map() }),
      (error: unknown) => up.send({ kind: 'failed', failure: failureOf(error, this.#rejections) }),
    )
  }

  /** Whoever started the islands has the splits. */
  #queue({ number }: Layer): SplitQueue {
    return {
      take: (signal) => {
        const asked = Promise.withResolvers<Split | undefined>()
        this.#asked.push(asked)
        this.#options.up.send({ kind: 'wantsSplit', layer: number })
        return untilAborted(asked.promise, signal)
      },
    }
  }

  figures(layer: number): ReturnType<Share['figures']> {
    return this.#share?.figures(layer) ?? []
  }

  async end(): Promise<void> {
    this.#isOver.resolve()
    await this.#share?.cancel()
  }

  #hear(message: ToIsland): void {
    if (message.kind === 'split') this.#asked.shift()?.resolve(message.split)
    else if (message.kind === 'drain') this.#share?.drain()
    else if (message.kind === 'passed') this.#gate.pass(message.level)
    else if (message.kind === 'command') this.#share?.tell(message.command)
  }
}

/** Both ends of every channel. */
class Ports {
  readonly #random: () => number
  readonly #ends = new Map<string, Channels>()

  constructor(random: () => number) {
    this.#random = random
  }

  wires(channel: string, side: 'receives' | 'sends', inFlight: InFlight): Channels {
    const other = `${side === 'sends' ? 'receives' : 'sends'} ${channel}`
    const line = new Slow<ChannelMessage>(this.#random, (wire) => this.#ends.get(other)?.receive(wire))
    const own = new Channels({ postMessage: (wire, transfer) => line.send(wire, transfer) }, inFlight.counter())
    this.#ends.set(`${side} ${channel}`, own)
    return own
  }
}

/** Messages in their order, each a clone, and none at once. */
class Slow<M> {
  readonly #random: () => number
  readonly #deliver: (message: M) => void
  readonly #waiting: M[] = []

  constructor(random: () => number, deliver: (message: M) => void) {
    this.#random = random
    this.#deliver = deliver
  }

  send(message: M, transfer: readonly unknown[] = []): void {
    this.#waiting.push(structuredClone(message, { transfer: [...transfer] as never[] }))
    if (this.#waiting.length === 1) this.#wait(1 + below(LATE_TURNS, this.#random))
  }

  #wait(turns: number): void {
    setImmediate(() => {
      if (turns > 1) return this.#wait(turns - 1)
      const message = this.#waiting[0] as M
      this.#deliver(message)
      this.#waiting.shift()
      if (this.#waiting.length > 0) this.#wait(1 + below(LATE_TURNS, this.#random))
    })
  }
}

async function laidOut(job: NonNullable<Work['job']>, stages: number): Promise<Topology> {
  const { layOutJob } = (await import(job.laidOutBy)) as JobLayout
  return await layOutJob(job, stages)
}

async function splitsOf({ layers }: Topology): Promise<Map<number, Split[]>> {
  const splits = new Map<number, Split[]>()
  for (const { work, number } of layers) {
    if (work.kind === 'source' && isSplittable(work.source)) splits.set(number, [...(await work.source.splits({}))])
  }
  return splits
}
