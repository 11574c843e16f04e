// The workers of one run: started, connected to each other, supervised, and ended together.

import { MessageChannel, Worker } from 'node:worker_threads'
import { messageOf, SluiceError } from '../../base/errors.ts'
import type { SourceCommand } from '../../checkpoint/epoch-reports.ts'
import type { Split } from '../../connect/source.ts'
import { isSplittable } from '../../flow/source.ts'
import { fingerprintOf, type Topology, worksOf } from '../../flow/topology.ts'
import type { Work } from '../executor.ts'
import { type Gate, LocalGate } from '../gate.ts'
import type { InFlight } from '../in-flight.ts'
import type { Job } from '../job.ts'
import { deliver, type EpochReport } from '../sent-reports.ts'
import type { StageCounts } from '../stage-stats.ts'
import { Channels } from './channels.ts'
import { workerFailed } from './failure.ts'
import type { ChannelMessage, FromWorker, ToWorker, WorkerSetup } from './message.ts'
import { STARTER } from './placement.ts'
import { SharedStats } from './shared-stats.ts'
import { Watchdog } from './watchdog.ts'

export interface WorkerPoolOptions {
  readonly work: Work
  readonly workers: number
  /** Of the links of this thread. */
  readonly inFlight: InFlight
  /** The longest a worker may take for one batch. */
  readonly maxBatchMs: number
  /** The heap limit of a worker; Node's own limit if undefined. */
  readonly heapMb: number | undefined
  /** Called once, when a worker has failed: the run is over. */
  readonly onFailure: (error: unknown) => void
}

/** How often busy workers are checked. */
const LOOK_MS = 250
/** How long workers have to end after they were told to, and after they have finished. */
const GRACE_MS = 1000
const DONE_GRACE_MS = 100

/**
 * Room for new objects, which die young: less than Node gives a thread, to save memory. With half of it, events that
 * wait for an exchange are promoted to the old generation: measured a quarter slower, with twice the memory.
 */
const YOUNG_MB = 32

export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #workers: readonly WorkerHandle[]
  readonly #watch: Watchdog
  readonly #topology: Topology
  readonly #job: Job
  #look: NodeJS.Timeout | undefined
  #hasFailed = false
  #stats: SharedStats | undefined
  #gate: Gate | undefined

  constructor(options: WorkerPoolOptions) {
    const { workers, work } = options
    const { job } = work
    if (job === undefined) throw new TypeError('Workers import what they run: this was passed as an object')
    const memory = Watchdog.memoryFor(workers)
    this.#options = options
    this.#job = job
    this.#topology = work.topology
    this.#watch = new Watchdog(memory)
    this.#workers = Array.from(
      { length: workers },
      (_, index) =>
        new WorkerHandle(
          index,
          job,
          memory,
          { ...options, onFailure: (error) => this.fail(error) },
          {
            workOf: () => this.#workOf(index),
            onArrival: (level) => this.#gate?.arrive(level),
          },
        ),
    )
  }

  /**
   * Connects the workers once all have the same topology as this thread, and starts them.
   *
   * @returns for each worker the channels that carry its share of the output
   */
  async start(signal: AbortSignal): Promise<readonly Channels[]> {
    const topology = this.#topology
    const [splits] = await Promise.all([splitsOf(topology, signal), this.#agree(fingerprintOf(topology))])
    const most = Math.max(...topology.layers.map(({ number }) => number))
    const taken = new SharedArrayBuffer((most + 1) * Int32Array.BYTES_PER_ELEMENT)
    const figures = SharedStats.memoryFor(topology)
    this.#stats = new SharedStats(topology, figures)
    this.#gate = new LocalGate(topology, (level) => this.#tellAll({ kind: 'passed', level }))
    const ports = portsBetween(this.#workers.length)
    this.#look = setInterval(() => this.#lookForHangs(), LOOK_MS)
    return this.#workers.map((worker, index) => {
      const { port1: own, port2: theirs } = new MessageChannel()
      const ways = ports[index] ?? new Map()
      ways.set(STARTER, theirs)
      const { resumePoint } = this.#options.work.epochs ?? {}
      const start: ToWorker = { kind: 'start', ports: ways, splits, taken, figures, resumePoint }
      worker.worker.postMessage(start, [...ways.values()])
      return worker.channelsOver(own)
    })
  }

  /** Resolves when every worker has finished and sent its counts. */
  async done(): Promise<void> {
    await Promise.all(this.#workers.map(({ done }) => done))
  }

  drain(): void {
    this.#tellAll({ kind: 'drain' })
  }

  /** Sends a command to every stage that reads the source of a pipeline. */
  tell(command: SourceCommand): void {
    this.#tellAll({ kind: 'command', command })
  }

  #tellAll(message: ToWorker): void {
    for (const { worker } of this.#workers) worker.postMessage(message)
  }

  /** What the stages of a layer did, as their workers last recorded it. */
  figures(layer: number): readonly StageCounts[] {
    return this.#stats?.read(layer) ?? []
  }

  /** Ends all of them: those that do not end in time are terminated. */
  async end(isAtOnce = false): Promise<void> {
    clearInterval(this.#look)
    const all = this.#workers.map((worker) => worker.end(isAtOnce ? 0 : GRACE_MS))
    await Promise.all(all)
  }

  fail(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#options.onFailure(error)
  }

  async #agree(own: string): Promise<void> {
    const { module } = this.#job
    for (const { index, ready } of this.#workers) {
      const fingerprint = await ready
      if (fingerprint === own || fingerprint === undefined) continue
      const found = `worker ${index + 1} has ${fingerprint}, this thread ${own}`
      const message = `Cannot run ${module} on threads: it does not describe the same flow in each of them: ${found}`
      throw new SluiceError('FLOW_MISMATCH', message, { module, found })
    }
  }

  /** What a worker is doing; undefined between two batches. */
  #workOf(index: number): string | undefined {
    const { busySinceMs, layer } = this.#watch.look(index)
    if (busySinceMs === undefined) return undefined
    const found = this.#topology.layers.find(({ number }) => number === layer)
    return found === undefined ? `layer ${layer}` : worksOf(found).join(', ')
  }

  #lookForHangs(): void {
    const { maxBatchMs, workers } = this.#options
    const nowMs = Date.now()
    for (const { index } of this.#workers) {
      const { busySinceMs } = this.#watch.look(index)
      if (busySinceMs === undefined || nowMs - busySinceMs <= maxBatchMs) continue
      const operator = this.#workOf(index) ?? 'unknown'
      const message = `Worker ${index + 1} of ${workers} did not return from a batch within ${maxBatchMs} ms, in ${operator}`
      this.fail(new SluiceError('WORKER_FAILED', message, { worker: index + 1, operator, event: 'unknown' }))
    }
  }
}

/** What a worker handle needs from its pool. */
interface WorkerEvents {
  /** What the worker is doing, if known. */
  readonly workOf: () => string | undefined
  /** A stage of a level has arrived at the gate. */
  readonly onArrival: (level: number) => void
}

class WorkerHandle {
  readonly index: number
  readonly worker: Worker
  /** The fingerprint of its topology; undefined if it failed first. */
  readonly ready: Promise<string | undefined>
  readonly done: Promise<void>
  readonly #ready = Promise.withResolvers<string | undefined>()
  readonly #done = Promise.withResolvers<void>()
  readonly #exited = Promise.withResolvers<void>()
  readonly #options: WorkerPoolOptions
  readonly #workOf: () => string | undefined
  readonly #onArrival: (level: number) => void
  #port: { close(): void } | undefined
  #isFinished = false

  constructor(
    index: number,
    job: Job,
    watch: SharedArrayBuffer,
    options: WorkerPoolOptions,
    { workOf, onArrival }: WorkerEvents,
  ) {
    const { work, workers, heapMb } = options
    const { stages, inFlight, rejections } = work
    this.index = index
    this.#options = options
    this.#workOf = workOf
    this.#onArrival = onArrival
    this.ready = this.#ready.promise
    this.done = this.#done.promise
    const { tellsLate, tellsDead } = rejections
    const setup: WorkerSetup = { job, index, workers, stages, inFlight, tellsLate, tellsDead, watch }
    this.worker = new Worker(new URL(import.meta.resolve('#worker')), {
      workerData: setup,
      name: `sluice ${index + 1}`,
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_MB,
        ...(heapMb === undefined ? {} : { maxOldGenerationSizeMb: heapMb }),
      },
    })
    this.worker.on('message', (message: FromWorker) => this.#onMessage(message))
    this.worker.on('error', (error) => this.#failed(messageOf(error), error))
    this.worker.on('exit', (code) => {
      if (!this.#isFinished) this.#failed(`it exited by itself with code ${code}, before its part was done`)
      this.#exited.resolve()
    })
  }

  channelsOver(port: MessageChannel['port1']): Channels {
    this.#port = port
    const channels = new Channels(port, this.#options.inFlight.counter())
    port.on('message', (wire: ChannelMessage) => channels.receive(wire))
    return channels
  }

  async end(graceMs: number): Promise<void> {
    if (graceMs > 0 && !this.#isFinished) this.worker.postMessage({ kind: 'cancel' } satisfies ToWorker)
    this.#isFinished = true
    const stop = (): void => void this.worker.terminate()
    let timer = setTimeout(stop, graceMs)
    const isGone = this.#exited.promise
    // What its modules keep open, such as the timer of an abandoned source, is not awaited.
    const isDone = await Promise.race([this.#done.promise.then(() => true), isGone.then(() => false)])
    clearTimeout(timer)
    if (isDone) timer = setTimeout(stop, Math.min(graceMs, DONE_GRACE_MS))
    await isGone
    clearTimeout(timer)
    this.#port?.close()
    this.#ready.resolve(undefined)
    this.#done.resolve()
  }

  #onMessage(message: FromWorker): void {
    const { workers, work } = this.#options
    const { rejections } = work
    if (message.kind === 'ready') this.#ready.resolve(message.fingerprint)
    else if (message.kind === 'late') for (const event of message.events) rejections.late(message.operator, event)
    else if (message.kind === 'dead') rejections.dead(message.operator, message.value, message.reason)
    else if (message.kind === 'noted') rejections.noted(message.note)
    else if (message.kind === 'report') this.#enter(message.entry)
    else if (message.kind === 'arrived') this.#onArrival(message.level)
    else if (message.kind === 'done') this.#finish(message)
    else {
      this.#isFinished = true
      this.#ready.resolve(undefined)
      this.#options.onFailure(workerFailed(this.index, workers, message.failure))
    }
  }

  #enter(entry: EpochReport): void {
    const reports = this.#options.work.epochs?.reports
    try {
      if (reports !== undefined) deliver(reports, entry)
    } catch (error) {
      this.#options.onFailure(error)
    }
  }

  #finish({ late, dead, ahead }: FromWorker & { readonly kind: 'done' }): void {
    const { rejections } = this.#options.work
    this.#isFinished = true
    // Those that were reported one by one are counted already.
    rejections.add(rejections.tellsLate ? new Map() : late, rejections.tellsDead ? new Map() : dead, ahead)
    this.#done.resolve()
  }

  #failed(reason: string, cause?: unknown): void {
    const { workers, onFailure } = this.#options
    this.#isFinished = true
    this.#ready.resolve(undefined)
    const operator = this.#workOf()
    const details = { worker: this.index + 1, operator: operator ?? 'unknown', event: 'unknown' }
    const where = operator === undefined ? '' : ` in ${operator}`
    const message = `Worker ${this.index + 1} of ${workers} failed${where}: ${reason}`
    onFailure(new SluiceError('WORKER_FAILED', message, details, cause === undefined ? undefined : { cause }))
  }
}

/** The splits of each source that has any, by layer number. */
async function splitsOf({ layers }: Topology, signal: AbortSignal): Promise<Map<number, readonly Split[]>> {
  const splits = new Map<number, readonly Split[]>()
  for (const { work, number } of layers) {
    if (work.kind !== 'source' || !isSplittable(work.source)) continue
    splits.set(number, await work.source.splits({ signal }))
  }
  return splits
}

/** For each worker, a port to every other one. */
function portsBetween(workers: number): Map<number, MessageChannel['port1']>[] {
  const ports = Array.from({ length: workers }, () => new Map<number, MessageChannel['port1']>())
  for (let a = 0; a < workers; a += 1) {
    for (let b = a + 1; b < workers; b += 1) {
      const { port1, port2 } = new MessageChannel()
      ports[a]?.set(b, port1)
      ports[b]?.set(a, port2)
    }
  }
  return ports
}
