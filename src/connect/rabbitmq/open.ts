// Opens the reader of a queue of RabbitMQ, with reconnection.

import { messageOf } from '../../base/errors.ts'
import { bodies } from '../kits/broker/body.ts'
import { type Connecting, connectReader } from '../kits/broker/connect-reader.ts'
import { IdDedup } from '../kits/broker/deduplicator.ts'
import { namedPosition, type PushReader, unreachable } from '../kits/broker/push-reader.ts'
import type { ConnectedOpening } from '../kits/broker/source.ts'
import type { SplitReader } from '../source.ts'
import { mayPass, RabbitConnection, type RabbitOptions } from './connection.ts'
import type { RabbitmqMeta } from './meta.ts'

export interface RabbitOpening<B, T>
  extends ConnectedOpening<B, RabbitmqMeta, T>,
    Omit<RabbitOptions, 'onMessage' | 'onSettled' | 'onLost'> {
  readonly id: (meta: RabbitmqMeta) => string | undefined
}

/** A message, or what is kept of it until it is committed. */
interface Sent {
  readonly name: string
  readonly bytes: Uint8Array
  readonly meta: RabbitmqMeta | undefined
}

/** The prefetch count is the bound. */
const NO_LIMITS = { messages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }
/** Prefix of names of messages that cannot be recognized when they are redelivered. No id starts with it. */
const UNNAMED = '\0'
/** Longer ids are not usable: they are stored in checkpoints. */
const MOST_CHARS = 255
const NOTHING = new Uint8Array()

export async function openRabbitmq<B, T>(opening: RabbitOpening<B, T>): Promise<SplitReader<T>> {
  const { title, queue, inFlight, from } = opening
  const { count, pending } = namedPosition(title, from)
  const known = new IdDedup({ pending }, inFlight, (name) => !name.startsWith(UNNAMED))
  return await connectReader<T, Sent, RabbitConnection>(
    {
      ...opening,
      ...bodies(opening, ({ bytes, meta }: Sent) => ({ bytes, meta: meta as RabbitmqMeta, source: `queue ${queue}` })),
      known,
      idOf: ({ name }) => name,
      isAgain: ({ meta }) => meta?.isRedelivered === true,
      receiptOf: ({ name }) => ({ name, bytes: NOTHING, meta: undefined }),
      limits: NO_LIMITS,
      count,
    },
    (reader) => new Deliveries(opening, known, reader),
  )
}

/** Unacknowledged messages of the current connection. */
class Deliveries<B, T> implements Connecting<Sent, RabbitConnection> {
  readonly mayPass = mayPass
  readonly #opening: RabbitOpening<B, T>
  readonly #known: IdDedup
  readonly #reader: PushReader<T, Sent>
  /** Name → the delivery tags of its messages in the current connection. */
  readonly #tags = new Map<string, number[]>()
  #connection: RabbitConnection | undefined
  #unnamed = 0

  constructor(opening: RabbitOpening<B, T>, known: IdDedup, reader: PushReader<T, Sent>) {
    this.#opening = opening
    this.#known = known
    this.#reader = reader
  }

  async connect(signal: AbortSignal, onLost: (error: unknown) => void): Promise<RabbitConnection> {
    this.#connection = await RabbitConnection.open(
      {
        ...this.#opening,
        onMessage: (bytes, meta, tag) => this.#take(bytes, meta, tag),
        onSettled: (names) => this.#known.settled(names),
        onLost: (error) => {
          this.#connection = undefined
          this.#tags.clear()
          // What was not requested yet will be redelivered.
          this.#reader.lost()
          onLost(error)
        },
      },
      signal,
    )
    return this.#connection
  }

  async begin(connection: RabbitConnection): Promise<void> {
    await connection.begin()
  }

  acknowledge(_current: RabbitConnection | undefined, messages: readonly Sent[]): void {
    const names = messages.map(({ name }) => name)
    const tags = names.flatMap((name) => this.#tags.get(name) ?? [])
    for (const name of names) this.#tags.delete(name)
    // Messages of a closed connection are redelivered, and recognized then.
    if (tags.length > 0) this.#connection?.acknowledge(tags, names)
  }

  #take(bytes: Uint8Array, meta: RabbitmqMeta, tag: number): void {
    let name: string
    try {
      name = this.#nameOf(meta)
    } catch (error) {
      const { title } = this.#opening
      return this.#reader.fail(unreachable(title, new Error(`id threw: ${messageOf(error)}`, { cause: error })))
    }
    const tags = this.#tags.get(name)
    if (tags === undefined) this.#tags.set(name, [tag])
    else tags.push(tag)
    this.#reader.push({ name, bytes, meta })
  }

  #nameOf(meta: RabbitmqMeta): string {
    const id = this.#opening.id(meta)
    if (typeof id === 'string' && id !== '' && id.length <= MOST_CHARS && !id.startsWith(UNNAMED)) return id
    this.#unnamed += 1
    return `${UNNAMED}${this.#unnamed}`
  }
}
