// Opens the reader of server-sent events, with connections that continue where the previous one ended.

import { systemClock } from '../../base/clock.ts'
import { bodies } from '../kits/broker/body.ts'
import { type Connecting, connectReader } from '../kits/broker/connect-reader.ts'
import { NoDedup } from '../kits/broker/deduplicator.ts'
import { liveLost, livePosition, type PushReader, unreachable, withoutBytes } from '../kits/broker/push-reader.ts'
import type { ConnectedOpening } from '../kits/broker/source.ts'
import type { Position, SplitReader } from '../source.ts'
import { Busy, EventConnection, type EventConnectionOptions, NothingMore, Refused } from './connection.ts'
import type { ServerEvent, SseMeta } from './protocol.ts'

export interface ServerSentOpening<B, T>
  extends ConnectedOpening<B, SseMeta, T>,
    Pick<EventConnectionOptions, 'address' | 'maxBytes' | 'idleMs'> {}

/** The default reconnection time, and the longest that a server may ask for. */
const PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 60_000

export async function openServerSentEvents<B, T>(opening: ServerSentOpening<B, T>): Promise<SplitReader<T>> {
  const { title, from } = opening
  const { count, after } = positionOf(title, from)
  let received = 0
  return await connectReader<T, ServerEvent, Pick<EventConnection, 'resume' | 'close'>>(
    {
      ...opening,
      ...bodies(opening, ({ bytes, type, id, fault }: ServerEvent) => {
        return { bytes, fault, meta: { type, id }, source: title }
      }),
      known: new NoDedup((last) => {
        const id = last === undefined ? after : last.slice(last.indexOf(' ') + 1)
        return id === '' ? {} : { after: id }
      }),
      idOf: ({ id }) => {
        received += 1
        return `${received} ${id}`
      },
      receiptOf: withoutBytes,
      count,
    },
    (reader) => new EventServer(opening, reader, after),
  )
}

class EventServer<B, T> implements Connecting<ServerEvent, Pick<EventConnection, 'resume' | 'close'>> {
  readonly #opening: ServerSentOpening<B, T>
  readonly #reader: PushReader<T, ServerEvent>
  /** The last id that came. */
  #lastId: string
  /** The reconnection time. */
  #pauseMs = PAUSE_MS
  /** No connection before this time, in clock milliseconds. */
  #notBeforeMs = Number.NEGATIVE_INFINITY

  constructor(opening: ServerSentOpening<B, T>, reader: PushReader<T, ServerEvent>, after: string) {
    this.#opening = opening
    this.#reader = reader
    this.#lastId = after
  }

  async connect(
    signal: AbortSignal,
    onLost: (error: unknown) => void,
  ): Promise<Pick<EventConnection, 'resume' | 'close'>> {
    const waitMs = this.#notBeforeMs - systemClock.nowMs()
    if (waitMs > 0) await systemClock.sleep(waitMs, signal)
    try {
      const connection: EventConnection = await EventConnection.open(
        {
          ...this.#opening,
          lastId: this.#lastId,
          onEvent: (event) => this.#reader.push(event),
          isFull: () => this.#reader.isFull,
          onLost: (error) => {
            this.#lastId = connection.lastId
            this.#pauseMs = connection.retryMs ?? this.#pauseMs
            this.#pause(this.#pauseMs)
            if (error instanceof Refused) this.#reader.fail(unreachable(this.#opening.title, error))
            else onLost(error)
          },
        },
        signal,
      )
      return connection
    } catch (error) {
      if (error instanceof Busy) this.#pause(error.waitMs)
      if (!(error instanceof NothingMore)) throw error
      this.#reader.end()
      return { resume() {}, async close() {} }
    }
  }

  mayPass(error: unknown): boolean {
    return !(error instanceof Refused)
  }

  #pause(ms: number): void {
    this.#notBeforeMs = systemClock.nowMs() + Math.min(ms, LONGEST_PAUSE_MS)
  }
}

function positionOf(title: string, from: Position | undefined): { readonly count: number; readonly after: string } {
  const { count, after = '' } = livePosition(title, from)
  // An invalid id would let anybody choose a header.
  if (typeof after === 'string' && after.length <= 1000 && !/[\0\r\n]/.test(after)) return { count, after }
  throw liveLost(title, after, 'the checkpoint holds no position of it')
}
