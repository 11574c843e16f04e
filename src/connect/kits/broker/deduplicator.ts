// Knows which messages of a sender were delivered before: it sends again what was not acknowledged in time.

import type { Json } from '../../source.ts'

/** A message that has arrived: new, not yet committed, or already committed. */
export type Standing = 'new' | 'waiting' | 'committed'

/** Distinguishes redelivered messages from new ones, over all runs. */
export interface Deduplicator {
  /**
   * @param isAgain - whether the sender says that it may be a redelivery
   */
  classify(id: string, isAgain: boolean): Standing
  /** A new message is waiting. */
  received(id: string): void
  /** Messages were delivered, in this order. */
  given(ids: readonly string[]): void
  /** What was waiting has been discarded. */
  dropped(): void
  /** Messages are committed, and the sender knows. */
  acknowledged(ids: readonly string[]): void
  /** What a later run must know about all delivered messages. */
  position(): { readonly [key: string]: Json }
}

/**
 * For senders that number messages in increasing order: a message that is not beyond the last one is known.
 *
 * @example
 * const known = new SequenceDedup({ after: '7' }, (a, b) => Number(a) - Number(b))
 * known.classify('7', false) // => 'committed'
 * known.classify('8', true) // => 'new'
 */
export class SequenceDedup implements Deduplicator {
  readonly #compare: (a: string, b: string) => number
  #committed: string | undefined
  #given: string | undefined
  #received: string | undefined

  /**
   * @param from - the position of an earlier run, already validated
   */
  constructor(from: { readonly after?: string }, compare: (a: string, b: string) => number) {
    this.#compare = compare
    this.#committed = from.after
    this.#given = from.after
    this.#received = from.after
  }

  /** The last one delivered. */
  get after(): string | undefined {
    return this.#given
  }

  /** The last one that arrived, delivered or not. */
  get last(): string | undefined {
    return this.#received
  }

  classify(id: string, _isAgain: boolean): Standing {
    if (this.#received === undefined || this.#compare(id, this.#received) > 0) return 'new'
    return this.#committed !== undefined && this.#compare(id, this.#committed) <= 0 ? 'committed' : 'waiting'
  }

  received(id: string): void {
    this.#received = id
  }

  given(ids: readonly string[]): void {
    this.#given = ids.at(-1) ?? this.#given
  }

  dropped(): void {
    this.#received = this.#given
  }

  acknowledged(ids: readonly string[]): void {
    this.#committed = ids.at(-1) ?? this.#committed
  }

  position(): { readonly [key: string]: Json } {
    return this.#given === undefined ? {} : { after: this.#given }
  }
}

/**
 * For senders whose messages have names and no order: those delivered and not acknowledged are known, and of earlier
 * runs those that may not have been acknowledged. A redelivery marked as new is a new message.
 *
 * @example
 * const known = new IdDedup({ pending: ['a'] }, 100)
 * known.classify('a', true) // => 'committed'
 * known.classify('b', true) // => 'new'
 */
export class IdDedup implements Deduplicator {
  /** Of earlier runs: committed, and perhaps never acknowledged. */
  readonly #before: Set<string>
  readonly #received = new Set<string>()
  readonly #given = new Set<string>()
  readonly #most: number
  readonly #comesAgain: (id: string) => boolean

  /**
   * @param most - how many names are kept: as many as the sender may have in flight
   * @param comesAgain - whether a message of this name may be redelivered: others need not be known
   */
  constructor(
    from: { readonly pending?: readonly string[] },
    most: number,
    comesAgain: (id: string) => boolean = () => true,
  ) {
    this.#before = new Set(from.pending)
    this.#most = most
    this.#comesAgain = comesAgain
  }

  /** How many names are known. */
  get size(): number {
    return this.#before.size + this.#received.size + this.#given.size
  }

  classify(id: string, isAgain: boolean): Standing {
    if (this.#received.has(id) || this.#given.has(id)) return 'waiting'
    if (!this.#before.has(id)) return 'new'
    if (isAgain) return 'committed'
    this.#before.delete(id)
    return 'new'
  }

  received(id: string): void {
    this.#received.add(id)
  }

  given(ids: readonly string[]): void {
    for (const id of ids) {
      this.#received.delete(id)
      this.#given.add(id)
    }
  }

  dropped(): void {
    this.#received.clear()
  }

  /** They are kept in case an acknowledgement was lost when the connection broke. */
  acknowledged(ids: readonly string[]): void {
    for (const id of ids) {
      this.#given.delete(id)
      this.#before.delete(id)
      if (this.#comesAgain(id)) this.#before.add(id)
    }
    for (const id of this.#before) {
      if (this.#before.size <= this.#most) break
      this.#before.delete(id)
    }
  }

  /** The sender has lost its session: nothing of earlier runs is redelivered. */
  forgotten(): void {
    this.#before.clear()
  }

  /** The sender knows that these are done: they are not redelivered. */
  settled(ids: readonly string[]): void {
    for (const id of ids) this.#before.delete(id)
  }

  position(): { readonly [key: string]: Json } {
    return { pending: [...this.#before, ...[...this.#given].filter(this.#comesAgain)] }
  }
}

/**
 * For senders that send each message once: every one is new. The name of the last one delivered is all that a later run
 * needs.
 *
 * @example
 * const known = new NoDedup((last) => (last === undefined ? {} : { after: last }))
 * known.classify('a', true) // => 'new'
 * known.given(['a', 'b'])
 * known.position() // => { after: 'b' }
 */
export class NoDedup implements Deduplicator {
  readonly #positionAt: (last: string | undefined) => { readonly [key: string]: Json }
  #last: string | undefined

  constructor(positionAt: (last: string | undefined) => { readonly [key: string]: Json } = () => ({})) {
    this.#positionAt = positionAt
  }

  classify(_id: string, _isAgain: boolean): Standing {
    return 'new'
  }

  received(_id: string): void {}

  given(ids: readonly string[]): void {
    this.#last = ids.at(-1) ?? this.#last
  }

  dropped(): void {}

  acknowledged(_ids: readonly string[]): void {}

  position(): { readonly [key: string]: Json } {
    return this.#positionAt(this.#last)
  }
}
