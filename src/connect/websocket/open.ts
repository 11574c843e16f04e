// Opens the reader of what a WebSocket server sends, over connections that are made again.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { systemClock } from '../../base/clock.ts'
import type { LineFormat } from '../format.ts'
import type { Address } from '../http/address.ts'
import { bodyReader, type ToEvent } from '../live/body.ts'
import { connectReader } from '../live/connect-reader.ts'
import { OnceEach } from '../live/known.ts'
import { LiveReader, livePosition, unreachable } from '../live/live-reader.ts'
import type { OpenOptions, Position, SplitReader } from '../source.ts'
import { type Greeting, Refused, SocketConnection } from './connection.ts'
import type { WebSocketMeta } from './meta.ts'

export interface WebSocketOpening<B, T> {
  readonly title: string
  readonly address: Address
  readonly protocols: readonly string[]
  readonly greeting: Greeting
  readonly tls: TlsOptions | undefined
  readonly maxBytes: number
  readonly idleMs: number
  readonly retryMs: number
  readonly format: LineFormat<B>
  readonly event: ToEvent<B, WebSocketMeta, T> | undefined
  readonly from: Position | undefined
  readonly open: OpenOptions
}

/** A message, numbered as it came. */
interface Sent {
  readonly name: string
  readonly bytes: Uint8Array
  readonly isBinary: boolean
}

/** What waits to be asked for. */
const LIMITS = { messages: 4000, bytes: 8 * 1024 * 1024 }
/** How long a server is left alone after a connection broke. */
const PAUSE_MS = 1000

export async function openWebSocket<B, T>(opening: WebSocketOpening<B, T>): Promise<SplitReader<T>> {
  const { title, address, retryMs, format, event, from, open } = opening
  const { count } = livePosition(title, from)
  const body = bodyReader<B, WebSocketMeta, T>(format, event)
  const reader = new LiveReader<T, Sent>({
    title,
    known: new OnceEach(),
    idOf: ({ name }) => name,
    isAgain: () => false,
    bytesOf: ({ bytes }) => bytes.length,
    // Nobody hears of commits: nothing of it is needed then.
    receiptOf: ({ name }) => ({ name, bytes: new Uint8Array(0), isBinary: false }),
    read: ({ bytes, isBinary }, number, counts) =>
      body({ bytes, meta: { isBinary }, source: title, count: number }, counts),
    limits: LIMITS,
    count,
    open,
  })
  let [sent, notBeforeMs] = [0, Number.NEGATIVE_INFINITY]
  await connectReader<T, Sent, SocketConnection>(reader, {
    title,
    address,
    retryMs,
    signal: open.signal,
    mayPass: (error) => !(error instanceof Refused),
    async connect(signal, onLost) {
      const waitMs = notBeforeMs - systemClock.nowMs()
      if (waitMs > 0) await systemClock.sleep(waitMs, signal)
      return await SocketConnection.open(
        {
          ...opening,
          isFull: () => reader.isFull,
          onMessage(bytes, isBinary) {
            sent += 1
            reader.push({ name: String(sent), bytes, isBinary })
          },
          onLost(error) {
            notBeforeMs = systemClock.nowMs() + PAUSE_MS
            if (error instanceof Refused) reader.fail(unreachable(title, error))
            else onLost(error)
          },
        },
        signal,
      )
    },
  })
  return reader
}
