// A stage that runs a chain of operators.

import type { Clock } from '../base/clock.ts'
import { untilAborted } from '../base/promise.ts'
import type { Beginning, Ledger } from '../checkpoint/ledger.ts'
import { packState, unpackState } from '../checkpoint/pack-state.ts'
import { type Batch, batchFrom, chunkOf } from '../connect/batch.ts'
import { Chain } from '../flow/chain.ts'
import type { Making, StepContext } from '../flow/step.ts'
import type { Chunk } from '../stage/chunk.ts'
import type { StageCore } from '../stage/core.ts'
import type { DispatcherSpec } from '../stage/dispatcher.ts'
import type { AnySpec, ChunkStage } from '../stage/hooks.ts'
import type { Subscription } from '../stage/link.ts'
import { chunkStage } from '../stage/make.ts'
import type { Ending } from '../stage/message.ts'
import type { Account } from './account.ts'
import type { Place } from './gate.ts'
import { StageContext } from './step-context.ts'

export interface StepsStageOptions {
  readonly name: string
  readonly steps: readonly Making[]
  readonly partition: StepContext['partition']
  /** How many producers it will have. */
  readonly inputs: number
  readonly dispatcher: DispatcherSpec<unknown, never>
  readonly clock: Clock
  readonly account: Account
  /** Told when a batch begins and ends, for who watches for one that does not. */
  readonly busy?: Busy | undefined
  /** Shown what comes, and what goes. */
  readonly meters: readonly [came: (batch: readonly unknown[]) => void, goes: (batch: readonly unknown[]) => void]
  /** The layer's number. */
  readonly layer: number
  /** Of a flow: where it waits with the results of the end. Those of a pipeline are held by its commit. */
  readonly place?: Place | undefined
  /** Where the stages of a pipeline begin, and whom they tell of their epochs. */
  readonly epochs?: { readonly beginning: Beginning; readonly ledger: Ledger } | undefined
}

/** Hears of the work on batches. */
export interface Busy {
  begin(layer: number): void
  end(): void
}

/** What such a stage is told from outside. */
export type StepsMessage = { readonly kind: 'tick' } | { readonly kind: 'mark'; readonly name: string }

export function stepsStage(options: StepsStageOptions): StageCore {
  return chunkStage('producer-consumer', new StepsStage(options))
}

type Self = ChunkStage

/** What is to go out has been emitted. */
const NOTHING: readonly unknown[] = []

/**
 * Hands batches to a chain, and what comes of them to whoever takes from this stage. Work that the chain puts off goes
 * on as demand comes.
 */
class StepsStage implements AnySpec {
  readonly name: string
  readonly dispatcher: DispatcherSpec<unknown, never>
  // What is emitted comes of one batch, or of a bounded piece of put-off work: the next waits until it has gone out.
  readonly bufferSize = Number.POSITIVE_INFINITY
  readonly whenFull = 'fail'
  readonly unwanted = 'end'
  readonly #options: StepsStageOptions
  readonly #context: StageContext
  readonly #chain: Chain
  readonly #inputs = new Map<Subscription, number>()
  /** The stage itself, from its first hook on. */
  #self: Self | undefined
  /** The pending call of the clock: when it is due, and how to call it off. */
  #timer: { readonly atMs: number; readonly stop: AbortController } | undefined
  /** The epoch that is open. */
  #epoch: number
  /** Results of the end, while they are gathered. */
  #held: Batch[] | undefined

  constructor(options: StepsStageOptions) {
    const { name, dispatcher, steps, partition, inputs, clock, account, epochs } = options
    this.#epoch = (epochs?.beginning.epoch ?? 0) + 1
    this.name = name
    this.dispatcher = dispatcher
    this.#options = options
    this.#context = new StageContext({ partition, inputs, clock, account, beginning: epochs?.beginning })
    const out = {
      events: (batch: Batch) => {
        if (this.#held !== undefined) this.#held.push(batch)
        else this.#give(batch)
      },
      watermark: (time: number) => this.#self?.watermark(time),
    }
    this.#chain = new Chain(steps, out, this.#context.steps)
    if (epochs !== undefined && epochs.beginning.states.size > 0) this.#chain.restore(unpacked(epochs.beginning))
  }

  onSubscribe(subscription: Subscription, self: Self): void {
    this.#self = self
    this.#inputs.set(subscription, this.#inputs.size)
    this.#look(self)
  }

  onEvents(chunk: Chunk<unknown>, from: Subscription, self: Self): StepsStage | typeof NOTHING {
    const { busy, layer, meters } = this.#options
    const batch = batchFrom(chunk)
    meters[0](batch.values())
    busy?.begin(layer)
    this.#context.steps.input = this.#inputs.get(from) ?? 0
    this.#chain.events(batch)
    this.#look(self)
    busy?.end()
    return this.#chain.isSuspended ? this : NOTHING
  }

  resume(): boolean | Promise<boolean> {
    const { waitsFor } = this.#chain
    return waitsFor === undefined ? this.#resumed() : waitsFor.then(() => this.#resumed())
  }

  #resumed(): boolean {
    this.#chain.resume()
    if (this.#self !== undefined) this.#look(this.#self)
    return this.#chain.isSuspended
  }

  drop(): void {
    this.#chain.drop()
  }

  onWatermark(time: number, self: Self): 'held' | Promise<'held'> {
    this.#chain.watermark(time)
    this.#look(self)
    return this.#chain.isSuspended ? this.#settled(self).then(() => 'held' as const) : 'held'
  }

  /** What steps have put off belongs to the epoch that ends: it goes out before the barrier. */
  onBarrier(epoch: number, self: Self): void | Promise<void> {
    if (this.#options.epochs === undefined) return
    this.#chain.flush()
    this.#look(self)
    return this.#chain.isSuspended ? this.#settled(self).then(() => this.#report(epoch)) : this.#report(epoch)
  }

  #report(epoch: number): void {
    const { epochs, layer, partition, clock } = this.#options
    if (epochs === undefined) return
    const beganMs = clock.nowMs()
    const states = new Map<string, Uint8Array>()
    for (const [id, state] of this.#chain.snapshot()) states.set(id, packState(id, state))
    epochs.ledger.stage({ epoch, stage: `${layer}/${partition.index}`, states, tookMs: clock.nowMs() - beganMs })
    this.#epoch = epoch + 1
  }

  onCancel(subscription: Subscription, ending: Ending, self: Self): void {
    const input = this.#inputs.get(subscription)
    if (input === undefined || ending.kind !== 'completed') return
    this.#chain.inputEnded(input)
    this.#look(self)
  }

  onMessage(message: StepsMessage, self: Self): void | Promise<void> {
    if (message.kind === 'mark') this.#chain.mark(message.name)
    else this.#chain.tick(this.#options.clock.nowMs())
    this.#look(self)
    return this.#chain.isSuspended ? this.#settled(self) : undefined
  }

  onComplete(self: Self): void | Promise<void> {
    const { place } = this.#options
    if (place?.holds === true) this.#held = []
    this.#chain.end()
    return this.#chain.isSuspended ? this.#settled(self).then(() => this.#ended(self)) : this.#ended(self)
  }

  /** Goes on until nothing is put off any more: what a mark, the clock or the end has made has no demand to wait for. */
  async #settled(self: Self): Promise<void> {
    while (this.#chain.isSuspended) {
      await untilAborted(this.#chain.waitsFor ?? new Promise(setImmediate), self.signal)
      this.#chain.resume()
      this.#look(self)
    }
  }

  #ended(self: Self): void | Promise<void> {
    const { place, epochs } = this.#options
    this.#sendLetters()
    epochs?.ledger.ended()
    const held = this.#held
    this.#held = undefined
    place?.arrive()
    if (place === undefined || held === undefined || held.length === 0) return
    return place.passed(self.signal).then(() => {
      for (const batch of held) this.#give(batch)
    })
  }

  readonly #give = (batch: Batch): void => {
    this.#options.meters[1](batch.values())
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
    if (atMs === this.#timer?.atMs) return
    this.#timer?.stop.abort()
    this.#timer = undefined
    if (atMs === undefined) return
    const stop = new AbortController()
    const { clock } = this.#options
    this.#timer = { atMs, stop }
    clock.sleep(Math.max(0, atMs - clock.nowMs()), stop.signal).then(
      () => {
        this.#timer = undefined
        self.notify({ kind: 'tick' } satisfies StepsMessage)
      },
      () => {}, // Called off.
    )
  }

  #sendLetters(): void {
    const letters = this.#context.takeLetters()
    if (letters.length > 0) this.#options.epochs?.ledger.letters(this.#epoch, letters)
  }
}

function unpacked({ states }: Beginning): Map<string, readonly unknown[]> {
  return new Map([...states].map(([id, packed]) => [id, packed.map((bytes) => unpackState(id, bytes))]))
}
