// A subscription: the link between one consumer and one producer, with its demand.

import { checkInteger } from '../base/check.ts'
import { invariant } from '../base/invariant.ts'
import { askAt, type DemandWindow, demandWindow, sliceSize } from './demand.ts'
import type { Ending, ToConsumer, ToProducer } from './message.ts'

/**
 * What the end of a subscription means to its consumer.
 *
 * - `transient` (the default): a failure fails the consumer; it completes once all of its producers have ended.
 * - `permanent`: the end of this subscription, of any kind, ends the consumer in the same way.
 * - `temporary`: the consumer stays, whatever happens.
 */
export type CancelMode = 'permanent' | 'transient' | 'temporary'

/** What each kind of ending does to the consumer; cancel modes are made of these. */
export interface EndPolicy {
  /** `now`: the consumer ends too. `last`: when no other producer is left. `never`: it stays. */
  readonly onComplete: 'now' | 'last' | 'never'
  readonly onCancel: 'now' | 'last' | 'never'
  readonly onFailure: 'fail' | 'stay'
  /** Whether the producer stays when the consumer leaves, because another takes its place. */
  readonly keepsProducer: boolean
  /** Whether another producer is on its way: then none that is left is the last. */
  readonly awaitsMore?: () => boolean
}

const POLICIES: Readonly<Record<CancelMode, EndPolicy>> = {
  permanent: { onComplete: 'now', onCancel: 'now', onFailure: 'fail', keepsProducer: false },
  transient: { onComplete: 'last', onCancel: 'last', onFailure: 'fail', keepsProducer: false },
  temporary: { onComplete: 'never', onCancel: 'never', onFailure: 'stay', keepsProducer: false },
}

/** Between stages that are restarted: either end waits for the other to come back. */
export const RESTARTABLE: EndPolicy = { onComplete: 'last', onCancel: 'never', onFailure: 'stay', keepsProducer: true }

/**
 * How a consumer subscribes. Options of the producer's dispatcher (`partition`, `selector`, `priority`) are added to
 * these.
 */
export interface SubscribeOptions extends Partial<DemandWindow> {
  /** What the end of this subscription means to the consumer: `transient` by default. */
  readonly cancel?: CancelMode
  /** `manual`: asks only by `subscription.ask`. `automatic` by default. */
  readonly demand?: 'automatic' | 'manual'
  readonly partition?: string | number
  readonly selector?: (event: never) => boolean
  readonly priority?: number
}

/** A subscription as its consumer's author sees it. */
export interface Subscription {
  /** The producer's name. */
  readonly producer: string
  /** The consumer's name. */
  readonly consumer: string
  /** Events asked for and not yet handled. */
  readonly pending: number
  /**
   * Asks for more: only on a manual subscription. 0 does nothing.
   * @throws {RangeError} if `events` is not an integer of 0 or more
   * @throws {TypeError} on an automatic subscription
   */
  ask(events: number): void
  /** Changes the window of an automatic subscription while it runs; a larger one asks at once. */
  update(window: Partial<DemandWindow>): void
  /** Ends the subscription; what was sent before is not handled any more. */
  cancel(reason?: unknown): void
  /** Settles, never rejects, when the subscription has ended: with how. */
  readonly done: Promise<Ending>
}

/** The two ends of a link, as the link sees them. */
export interface LinkEnd {
  readonly name: string
  /** What travels down. */
  accept(message: ToConsumer<Link>): void
  /** What travels up. */
  post(message: ToProducer<Link>): void
  /** A consumer subscribes. */
  welcome(link: Link): void
  leave(link: Link, ending: Ending): void
}

/**
 * The link itself. `asked` and `received` only grow; no consumer receives more than it asked, and what a foreign
 * producer sends beyond that is counted as surplus.
 */
export class Link implements Subscription {
  readonly from: LinkEnd
  readonly to: LinkEnd
  readonly options: SubscribeOptions
  readonly policy: EndPolicy
  isManual: boolean
  /** The demand window; changed by `update`. */
  #window: DemandWindow
  /** Asked and not yet handled. */
  pending = 0
  asked = 0
  received = 0
  surplus = 0
  /** Set once, when the consumer's end is closed. */
  ending: Ending | undefined
  /** Made on first use. */
  #done: PromiseWithResolvers<Ending> | undefined

  constructor(from: LinkEnd, to: LinkEnd, options: SubscribeOptions, policy?: EndPolicy) {
    this.from = from
    this.to = to
    this.options = options
    this.policy = policy ?? POLICIES[options.cancel ?? 'transient']
    this.isManual = options.demand === 'manual'
    this.#window = demandWindow(options)
  }

  get producer(): string {
    return this.from.name
  }

  get consumer(): string {
    return this.to.name
  }

  /** The most events that one call of the handler gets; a manual subscription passes chunks on as they come. */
  get slice(): number {
    return this.isManual ? Number.POSITIVE_INFINITY : sliceSize(this.#window)
  }

  get done(): Promise<Ending> {
    this.#done ??= Promise.withResolvers()
    if (this.ending !== undefined) this.#done.resolve(this.ending)
    return this.#done.promise
  }

  /** The first ask of an automatic subscription. */
  open(): void {
    if (!this.isManual) this.#askUp(this.#window.maxDemand)
  }

  ask(events: number): void {
    checkInteger('ask', events, 0)
    if (!this.isManual) throw new TypeError(`Cannot ask ${this.producer} by hand: the subscription is automatic`)
    if (events > 0 && this.ending === undefined) this.#askUp(events)
  }

  update(window: Partial<DemandWindow>): void {
    if (this.isManual) throw new TypeError(`Cannot update the demand on ${this.producer}: the subscription is manual`)
    const maxDemand = window.maxDemand ?? this.#window.maxDemand
    this.#window = demandWindow({ ...window, maxDemand })
    if (this.ending === undefined) this.#askAgain()
  }

  cancel(reason?: unknown): void {
    if (this.ending === undefined) this.to.leave(this, { kind: 'cancelled', reason })
  }

  /** A chunk came in: returns the number of its events that were asked for. */
  receive(events: number): number {
    this.received += events
    const over = Math.max(0, this.received - this.surplus - this.asked)
    this.surplus += over
    return events - over
  }

  /** `events` that were asked for have been handled: asks for more if it is time. */
  handled(events: number): void {
    this.pending -= events
    invariant(this.pending >= 0, 'pending went below zero')
    if (!this.isManual && this.ending === undefined) this.#askAgain()
  }

  /** The consumer's end is closed; nothing is asked or handled after this. */
  close(ending: Ending): void {
    this.ending = ending
    this.#done?.resolve(ending)
  }

  #askAgain(): void {
    const events = askAt(this.pending, this.#window)
    if (events > 0) this.#askUp(events)
  }

  #askUp(events: number): void {
    this.asked += events
    this.pending += events
    this.from.post({ kind: 'ask', link: this, events })
  }
}
