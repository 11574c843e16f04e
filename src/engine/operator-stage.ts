// A stage that runs a chain of operators.

import type { EpochReports, ResumePoint } from '../checkpoint/epoch-reports.ts'
import { packState, unpackState } from '../checkpoint/pack-state.ts'
import { type Batch, batchFrom, chunkOf } from '../connect/batch.ts'
import { Chain } from '../flow/chain.ts'
import type { Making } from '../flow/step.ts'
import type { Chunk } from '../stage/chunk.ts'
import type { StageCore } from '../stage/core.ts'
import type { DispatcherSpec } from '../stage/dispatcher.ts'
import type { Resumable } from '../stage/drawing.ts'
import type { AnySpec, ChunkStage } from '../stage/hooks.ts'
import type { Subscription } from '../stage/link.ts'
import { chunkStage } from '../stage/make.ts'
import type { Ending } from '../stage/message.ts'
import type { Place } from './gate.ts'
import type { OwnCounts } from './stage-stats.ts'
import { type ContextOptions, StageContext } from './step-context.ts'

export interface OperatorStageOptions extends Omit<ContextOptions, 'counts' | 'resumePoint'> {
  readonly name: string
  readonly steps: readonly Making[]
  readonly dispatcher: DispatcherSpec<unknown, never>
  /** Called when a batch begins and ends, for the watchdog. */
  readonly busy?: Busy | undefined
  /** Shown what comes in, and what goes out. */
  readonly meters: readonly [came: (batch: Batch) => void, goes: (batch: Batch) => void]
  /** The layer's number. */
  readonly layer: number
  /** For a flow: where final results are held. Those of a pipeline are held by its commit. */
  readonly place?: Place | undefined
  /** What its steps count. */
  readonly ownCounts: Pick<OwnCounts, 'counts'>
  /** Where the stages of a pipeline start, and where they report their epochs. */
  readonly epochs?: { readonly resumePoint: ResumePoint; readonly reports: EpochReports } | undefined
}

/** Told when work on a batch begins and ends. */
export interface Busy {
  begin(layer: number): void
  end(): void
}

/** Messages to such a stage. */
export type OperatorMessage = { readonly kind: 'tick' } | { readonly kind: 'mark'; readonly name: string }

export function operatorStage(options: OperatorStageOptions): StageCore {
  return chunkStage('producer-consumer', new OperatorStage(options))
}

type Self = ChunkStage

/** Everything has been emitted. */
const NOTHING: readonly unknown[] = []
/** The most final results that are held of put-off work: an iterator may produce any number. */
const MOST_HELD = 10_000

/**
 * Passes batches through a chain and emits the results. Work that the chain defers continues on demand, and the stage
 * does nothing else until it is done.
 */
class OperatorStage implements AnySpec, Resumable {
  readonly name: string
  readonly dispatcher: DispatcherSpec<unknown, never>
  // What is emitted comes from one batch, or from a bounded piece of put-off work: the next one waits until it is
  // emitted.
  readonly bufferSize = Number.POSITIVE_INFINITY
  readonly whenFull = 'fail'
  readonly unwanted = 'end'
  readonly #options: OperatorStageOptions
  readonly #context: StageContext
  readonly #chain: Chain
  readonly #inputs = new Map<Subscription, number>()
  /** The stage itself, from its first hook on. */
  #self: Self | undefined
  /** The pending call of the clock: when it is due, how to cancel it, and whether it is waiting for its turn. */
  #timer: { readonly atMs: number; readonly stop: AbortController; hasCome: boolean } | undefined
  /** The open epoch. */
  #epoch: number
  /** Final results, until they may be emitted; and how many they are. */
  #held: Batch[] | undefined
  #heldEvents = 0
  /** Whether it waits at the gate. */
  #isAtGate = false
  /** What to do once no work is deferred. */
  #then: (() => void) | undefined

  constructor(options: OperatorStageOptions) {
    const { name, dispatcher, steps, partition, inputs, clock, rejections, epochs, ownCounts } = options
    const { counts } = ownCounts
    this.#epoch = (epochs?.resumePoint.epoch ?? 0) + 1
    this.name = name
    this.dispatcher = dispatcher
    this.#options = options
    this.#context = new StageContext({ partition, inputs, clock, rejections, counts, resumePoint: epochs?.resumePoint })
    const out = {
      events: (batch: Batch) => {
        if (this.#held === undefined) return this.#give(batch)
        this.#held.push(batch)
        this.#heldEvents += batch.length
      },
      watermark: (time: number) => this.#self?.watermark(time),
    }
    this.#chain = new Chain(steps, out, this.#context.steps)
    if (epochs !== undefined && epochs.resumePoint.states.size > 0) this.#chain.restore(unpacked(epochs.resumePoint))
  }

  onSubscribe(subscription: Subscription, self: Self): void {
    this.#self = self
    this.#inputs.set(subscription, this.#inputs.size)
    this.#look(self)
  }

  onEvents(chunk: Chunk<unknown>, from: Subscription, self: Self): Resumable | typeof NOTHING {
    const batch = batchFrom(chunk)
    this.#options.meters[0](batch)
    this.#context.steps.input = this.#inputs.get(from) ?? 0
    this.#work(self, () => this.#chain.events(batch))
    return this.#chain.isSuspended ? this : NOTHING
  }

  resume(): boolean | Promise<boolean> {
    const { place } = this.#options
    const signal = this.#self?.signal as AbortSignal
    const waitsFor = this.#isAtGate ? place?.passed(signal) : this.#chain.waitsFor
    return waitsFor === undefined ? this.#resumed() : waitsFor.then(() => !signal.aborted && this.#resumed())
  }

  #resumed(): boolean {
    if (this.#isAtGate) this.#release()
    else this.#work(this.#self as Self, () => this.#chain.resume())
    return this.#isLeft()
  }

  drop(): void {
    this.#then = undefined
    this.#chain.drop()
  }

  onWatermark(time: number, self: Self): Resumable | 'held' {
    return this.#done(self, () => this.#chain.watermark(time)) ?? 'held'
  }

  /** Deferred work of steps belongs to the epoch that is ending: it is emitted before the barrier. */
  onBarrier(epoch: number, self: Self): Resumable | undefined {
    if (this.#options.epochs === undefined) return undefined
    return this.#done(
      self,
      () => this.#chain.flush(),
      () => this.#report(epoch),
    )
  }

  #report(epoch: number): void {
    const { epochs, layer, partition, clock } = this.#options
    if (epochs === undefined) return
    const beganMs = clock.nowMs()
    const states = new Map<string, Uint8Array>()
    for (const [id, state] of this.#chain.snapshot()) states.set(id, packState(id, state))
    const stage = `${layer}/${partition.index}`
    const counts = this.#context.takeCounts()
    epochs.reports.stage({ epoch, stage, counts, states, tookMs: clock.nowMs() - beganMs })
    this.#epoch = epoch + 1
  }

  onCancel(subscription: Subscription, ending: Ending, self: Self): Resumable | undefined {
    const input = this.#inputs.get(subscription)
    if (input === undefined || ending.kind !== 'completed') return undefined
    return this.#done(self, () => this.#chain.inputEnded(input))
  }

  onMessage(message: OperatorMessage, self: Self): Resumable | undefined {
    if (message.kind === 'mark') return this.#done(self, () => this.#chain.mark(message.name))
    this.#timer = undefined
    return this.#done(self, () => this.#chain.tick(this.#options.clock.nowMs()))
  }

  onComplete(self: Self): Resumable | undefined {
    if (this.#options.place?.holds === true) this.#held = []
    return this.#done(
      self,
      () => this.#chain.end(),
      () => this.#ended(),
    )
  }

  /** A hook that emits no events: itself, if work is deferred, and `then` after that. */
  #done(self: Self, call: () => void, then?: () => void): Resumable | undefined {
    this.#work(self, call)
    this.#then = then
    return this.#isLeft() ? this : undefined
  }

  /** Every call of the chain: one of its functions may not return. */
  #work(self: Self, call: () => void): void {
    const { busy, layer } = this.#options
    busy?.begin(layer)
    call()
    this.#look(self)
    busy?.end()
  }

  /** Whether work is still deferred; if not, whatever waited for that is done. */
  #isLeft(): boolean {
    if (this.#held !== undefined && (!this.#chain.isSuspended || this.#heldEvents >= MOST_HELD)) {
      this.#options.place?.arrive()
      this.#isAtGate = this.#heldEvents > 0
      if (this.#isAtGate) return true
      this.#held = undefined
    }
    if (this.#chain.isSuspended) return true
    this.#then?.()
    this.#then = undefined
    return false
  }

  /** The gate lets final results out. */
  #release(): void {
    const held = this.#held ?? []
    this.#isAtGate = false
    this.#held = undefined
    for (const batch of held) this.#give(batch)
  }

  #ended(): void {
    const { place, epochs } = this.#options
    epochs?.reports.ended(this.#context.takeCounts())
    place?.arrive()
  }

  readonly #give = (batch: Batch): void => {
    this.#options.meters[1](batch)
    this.#self?.emit(chunkOf(batch))
  }

  onEnd(): void {
    this.#timer?.stop.abort()
    this.#chain.drop()
  }

  /** After every call of the chain: whether it is done, and when the clock is to call it. */
  #look(self: Self): void {
    this.#sendLetters()
    if (this.#context.steps.isStopped) self.complete()
    const atMs = this.#chain.nextTickMs
    // A call that is waiting for its turn is handled first.
    if (atMs === this.#timer?.atMs || this.#timer?.hasCome === true) return
    this.#timer?.stop.abort()
    this.#timer = undefined
    if (atMs === undefined) return
    const { clock } = this.#options
    const timer = { atMs, stop: new AbortController(), hasCome: false }
    this.#timer = timer
    clock.sleep(Math.max(0, atMs - clock.nowMs()), timer.stop.signal).then(
      () => {
        if (this.#timer !== timer) return
        timer.hasCome = true
        self.notify({ kind: 'tick' } satisfies OperatorMessage)
      },
      () => {}, // Called off.
    )
  }

  #sendLetters(): void {
    const letters = this.#context.takeLetters()
    if (letters.length > 0) this.#options.epochs?.reports.deadLetters(this.#epoch, letters)
  }
}

function unpacked({ states }: ResumePoint): Map<string, readonly unknown[]> {
  return new Map([...states].map(([id, packed]) => [id, packed.map((bytes) => unpackState(id, bytes))]))
}
