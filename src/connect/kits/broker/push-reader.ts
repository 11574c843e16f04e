// Reads what a sender pushes: returned on request, acknowledged once committed, and each only once.

import { isCount } from '../../../base/check.ts'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import { isPromise } from '../../../base/promise.ts'
import { type ReadBatch, readOf } from '../../batch.ts'
import type { SourceRecord } from '../../origin.ts'
import type { Json, OpenOptions, Position, SourceCounts, SplitReader } from '../../source.ts'
import type { Deduplicator } from './deduplicator.ts'
import { Inbox, type InboxLimits } from './inbox.ts'

/** The connection to the sender. Nothing here throws. */
export interface Sender<M> {
  /** Asks the sender to pause, as far as the protocol allows. */
  pause(): void
  resume(): void
  /** Acknowledges messages, in the order in which they were delivered. */
  acknowledge(messages: readonly M[]): void
  /** Ends the connection, once acknowledgements are sent. */
  close(): Promise<void>
}

/** How a sender's messages are identified. */
export interface PushReaderOptions<T, M> {
  /** The sender, for errors: `queue orders`. */
  readonly title: string
  readonly known: Deduplicator
  /** The message's name; the same when it is redelivered. By default a unique one: called once per message. */
  readonly idOf?: (message: M) => string
  /** Whether the sender says that it may be a redelivery: any message by default. */
  readonly isAgain?: (message: M) => boolean
  readonly bytesOf: (message: M) => number
  /** What is kept of a message until it is committed, enough to acknowledge it: all of it by default. */
  readonly receiptOf?: (message: M) => M
  /** Makes an event, or a dead letter, from a message: the one of this number, over all runs. */
  readonly read: (message: M, count: number, counts: SourceCounts) => SourceRecord<T>
  /** How much may wait: 4000 messages or 8 MiB by default. */
  readonly limits?: InboxLimits
  /** How many messages were delivered to earlier runs. */
  readonly count: number
  readonly open: OpenOptions
}

/** How much may wait by default. */
const LIMITS: InboxLimits = { messages: 4000, bytes: 8 * 1024 * 1024 }

interface Named<M> {
  readonly id: string
  readonly message: M
}

export class PushReader<T, M> implements SplitReader<T> {
  readonly counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  readonly #options: PushReaderOptions<T, M>
  readonly #inbox: Inbox<Named<M>>
  #sender: Sender<M> | undefined
  /** Delivered, and not yet acknowledged; by name, in order. */
  readonly #given = new Map<string, M>()
  /** How many of those are covered by a position. */
  readonly #counted = new WeakMap<object, number>()
  /** Messages delivered and acknowledged, over all runs. */
  #count: number
  #acknowledged: number
  #pushed = 0
  #isClosed = false

  constructor(options: PushReaderOptions<T, M>) {
    this.#options = options
    this.#count = options.count
    this.#acknowledged = options.count
    this.#inbox = new Inbox({
      limits: options.limits ?? LIMITS,
      onFull: () => this.#sender?.pause(),
      onRoom: () => this.#sender?.resume(),
      signal: options.open.signal,
    })
  }

  get doneBytes(): number {
    return 0
  }

  /** Whether the sender should pause. */
  get isFull(): boolean {
    return this.#inbox.isFull
  }

  /** The sender is connected: called before it sends anything. */
  attach(sender: Sender<M>): void {
    this.#sender = sender
  }

  /** A message has arrived. */
  push(message: M): void {
    if (this.#isClosed) return
    const { known, idOf, isAgain, bytesOf } = this.#options
    this.#pushed += 1
    const id = idOf?.(message) ?? String(this.#pushed)
    const standing = known.classify(id, isAgain?.(message) ?? true)
    if (standing === 'committed') this.#sender?.acknowledge([message])
    // The latest delivery is acknowledged: the earlier one may be void.
    else if (standing === 'waiting' && this.#given.has(id)) this.#keep(id, message)
    else if (standing === 'new') {
      known.received(id)
      this.#inbox.put({ id, message }, bytesOf(message))
    }
  }

  /** The connection broke, and what was not acknowledged will be sent again. */
  lost(): void {
    this.#options.known.dropped()
    this.#inbox.clear()
  }

  /** Nothing more will come. */
  end(): void {
    this.#inbox.end()
  }

  /** Nothing more will come: the sender cannot be reached, or refuses. */
  fail(error: unknown): void {
    this.#inbox.fail(error)
  }

  /** Notes what happened to the connection. */
  tell(note: string): void {
    this.#options.open.onNote?.(note)
  }

  read(max: number): ReadBatch<T> | undefined | Promise<ReadBatch<T> | undefined> {
    const taken = this.#inbox.take(max)
    return isPromise(taken) ? taken.then((later) => this.#give(later)) : this.#give(taken)
  }

  position(): Position {
    const position = { count: this.#count, ...this.#options.known.position() }
    this.#counted.set(position, this.#count)
    return position
  }

  acknowledge(position: Position): void {
    const count = this.#counted.get(position as object)
    if (count !== undefined) this.#acknowledge(count)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inbox.clear()
    this.#inbox.end()
    await this.#sender?.close()
  }

  #give(messages: readonly Named<M>[] | undefined): ReadBatch<T> | undefined {
    if (messages === undefined) return undefined
    const { known, read } = this.#options
    known.given(messages.map(({ id }) => id))
    for (const { id, message } of messages) this.#keep(id, message)
    const entries = messages.map(({ message }, at) => read(message, this.#count + at, this.counts))
    this.#count += messages.length
    this.counts.read += messages.length
    return readOf(entries)
  }

  #keep(id: string, message: M): void {
    this.#given.set(id, this.#options.receiptOf?.(message) ?? message)
  }

  /** Everything up to the message of this number is done. */
  #acknowledge(count: number): void {
    const ids: string[] = []
    const messages: M[] = []
    for (const [id, message] of this.#given) {
      if (this.#acknowledged >= count) break
      this.#acknowledged += 1
      this.#given.delete(id)
      ids.push(id)
      messages.push(message)
    }
    if (messages.length === 0) return
    this.#options.known.acknowledged(ids)
    this.#sender?.acknowledge(messages)
  }
}

const NOTHING = new Uint8Array(0)

/** What is kept of a message whose bytes take most of the memory. */
export function withoutBytes<M extends { readonly bytes: Uint8Array }>(message: M): M {
  return { ...message, bytes: NOTHING }
}

/** What a checkpoint holds of a live source; 0 and nothing without a checkpoint. */
export function livePosition(
  title: string,
  from: Position | undefined,
): { readonly count: number; readonly [key: string]: Json } {
  if (from === undefined) return { count: 0 }
  const { count } = (typeof from === 'object' && from !== null && !Array.isArray(from) ? from : {}) as {
    readonly count?: Json
  }
  if (isCount(count)) return from as { readonly count: number }
  throw liveLost(title, from, 'the checkpoint holds no position of it')
}

/** What a checkpoint holds of a live source whose messages have names. */
export function namedPosition(
  title: string,
  from: Position | undefined,
): { readonly count: number; readonly pending: readonly string[] } {
  const { count, pending = [] } = livePosition(title, from)
  if (Array.isArray(pending) && pending.every((name) => typeof name === 'string')) return { count, pending }
  throw liveLost(title, from, 'it holds no names of messages')
}

/** The error for a position that reading cannot continue from. */
export function liveLost(title: string, from: Position | undefined, found: string): SluiceError<'POSITION_LOST'> {
  const position = String(JSON.stringify(from)).slice(0, 60)
  return new SluiceError('POSITION_LOST', `Cannot resume ${title} after ${position}: ${found}`, {
    source: title,
    position,
  })
}

/** Turns an error of a client library into one that names the sender. */
export function unreachable(title: string, error: unknown): SluiceError<'SOURCE_UNREADABLE'> {
  const message = `Cannot read ${title}: ${messageOf(error)}`
  return new SluiceError('SOURCE_UNREADABLE', message, { source: title, offset: 0, errno: 'unknown' }, { cause: error })
}
