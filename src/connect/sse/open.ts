// Opens the reader of server-sent events, over connections that go on where the one before ended.

import { systemClock } from '../../base/clock.ts'
import { SluiceError } from '../../base/errors.ts'
import type { LineFormat } from '../format.ts'
import type { Address } from '../http/address.ts'
import { bodyReader, type ToEvent } from '../live/body.ts'
import { connectReader } from '../live/connect-reader.ts'
import { OnceEach } from '../live/known.ts'
import { LiveReader, livePosition, unreachable } from '../live/live-reader.ts'
import { rawOf } from '../live/text.ts'
import { deadLetter, type Entry } from '../origin.ts'
import type { OpenOptions, Position, SourceCounts, SplitReader } from '../source.ts'
import { Busy, EventConnection, NothingMore, Refused } from './connection.ts'
import type { ServerEvent } from './events.ts'
import type { ServerEventMeta } from './meta.ts'

export interface ServerSentOpening<B, T> {
  readonly title: string
  readonly address: Address
  readonly maxBytes: number
  readonly idleMs: number
  readonly retryMs: number
  readonly format: LineFormat<B>
  readonly event: ToEvent<B, ServerEventMeta, T> | undefined
  readonly from: Position | undefined
  readonly open: OpenOptions
}

/** An event, with its number in this run and its id as its name. */
interface Sent extends ServerEvent {
  readonly name: string
}

const NOTHING = new Uint8Array(0)
/** What waits to be asked for. */
const LIMITS = { messages: 4000, bytes: 8 * 1024 * 1024 }
/** How long a server is left alone that does not say, and the longest that it may ask for. */
const PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 60_000

export async function openServerSentEvents<B, T>(opening: ServerSentOpening<B, T>): Promise<SplitReader<T>> {
  const { title, address, from, open, retryMs } = opening
  const { count, after } = positionOf(title, from)
  const reader = new LiveReader<T, Sent>({
    title,
    known: new OnceEach((last) => {
      const id = last === undefined ? after : last.slice(last.indexOf(' ') + 1)
      return id === '' ? {} : { after: id }
    }),
    idOf: ({ name }) => name,
    isAgain: () => false,
    bytesOf: ({ bytes }) => bytes.length,
    // Nobody hears of commits: nothing of it is needed then.
    receiptOf: (sent) => ({ ...sent, bytes: NOTHING }),
    read: readerOf(opening),
    limits: LIMITS,
    count,
    open,
  })
  const server = new EventServer(opening, reader, after)
  await connectReader<T, Sent, Pick<EventConnection, 'resume' | 'close'>>(reader, {
    title,
    address,
    retryMs,
    signal: open.signal,
    connect: (signal, onLost) => server.connect(signal, onLost),
    mayPass: (error) => !(error instanceof Refused),
  })
  return reader
}

class EventServer<B, T> {
  readonly #opening: ServerSentOpening<B, T>
  readonly #reader: LiveReader<T, Sent>
  /** The last id that came. */
  #lastId: string
  #received = 0
  /** How long the server wants to be left alone between two connections. */
  #pauseMs = PAUSE_MS
  /** No connection before that, in clock milliseconds. */
  #notBeforeMs = Number.NEGATIVE_INFINITY

  constructor(opening: ServerSentOpening<B, T>, reader: LiveReader<T, Sent>, after: string) {
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
    const { address, maxBytes, idleMs } = this.#opening
    try {
      const connection: EventConnection = await EventConnection.open(
        {
          address,
          lastId: this.#lastId,
          maxBytes,
          idleMs,
          onEvent: (event) => this.#take(event),
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

  #pause(ms: number): void {
    this.#notBeforeMs = systemClock.nowMs() + Math.min(ms, LONGEST_PAUSE_MS)
  }

  #take(event: ServerEvent): void {
    this.#received += 1
    this.#reader.push({ ...event, name: `${this.#received} ${event.id}` })
  }
}

function readerOf<B, T>({ format, event, title }: ServerSentOpening<B, T>) {
  const read = bodyReader<B, ServerEventMeta, T>(format, event)
  return ({ bytes, type, id, fault }: Sent, count: number, counts: SourceCounts): Entry<T> => {
    if (fault === undefined) return read({ bytes, meta: { type, id }, source: title, count }, counts)
    const raw = rawOf(bytes)
    return deadLetter({ source: title, line: 0, offset: count, raw }, format.name, fault)
  }
}

function positionOf(title: string, from: Position | undefined): { readonly count: number; readonly after: string } {
  const { count, after = '' } = livePosition(title, from)
  // What is no id would be a header of anybody's choice.
  if (typeof after === 'string' && after.length <= 1000 && !/[\0\r\n]/.test(after)) return { count, after }
  const position = String(JSON.stringify(after)).slice(0, 60)
  const message = `Cannot resume ${title} after ${position}: the checkpoint holds no position of it`
  throw new SluiceError('POSITION_LOST', message, { source: title, position })
}
