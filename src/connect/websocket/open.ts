// Opens the reader of a WebSocket, with reconnection.

import { systemClock } from '../../base/clock.ts'
import { bodies } from '../kits/broker/body.ts'
import { connectReader } from '../kits/broker/connect-reader.ts'
import { NoDedup } from '../kits/broker/deduplicator.ts'
import { livePosition, unreachable, withoutBytes } from '../kits/broker/push-reader.ts'
import type { ConnectedOpening } from '../kits/broker/source.ts'
import type { SplitReader } from '../source.ts'
import { Refused, SocketConnection, type SocketOptions } from './connection.ts'

/** The metadata of a message. */
export interface WebSocketMeta {
  /** Whether it was sent as bytes, and not as text. */
  readonly isBinary: boolean
}

export interface WebSocketOpening<B, T>
  extends ConnectedOpening<B, WebSocketMeta, T>,
    Omit<SocketOptions, 'isFull' | 'onMessage' | 'onLost'> {}

interface Sent extends WebSocketMeta {
  readonly bytes: Uint8Array
}

/** How long to wait after a connection broke. */
const PAUSE_MS = 1000

export async function openWebSocket<B, T>(opening: WebSocketOpening<B, T>): Promise<SplitReader<T>> {
  const { title, from } = opening
  let notBeforeMs = Number.NEGATIVE_INFINITY
  return await connectReader<T, Sent, SocketConnection>(
    {
      ...opening,
      ...bodies(opening, ({ bytes, isBinary }: Sent) => ({ bytes, meta: { isBinary }, source: title })),
      known: new NoDedup(),
      receiptOf: withoutBytes,
      count: livePosition(title, from).count,
    },
    (reader) => ({
      mayPass: (error) => !(error instanceof Refused),
      async connect(signal, onLost) {
        const waitMs = notBeforeMs - systemClock.nowMs()
        if (waitMs > 0) await systemClock.sleep(waitMs, signal)
        return await SocketConnection.open(
          {
            ...opening,
            isFull: () => reader.isFull,
            onMessage: (bytes, isBinary) => reader.push({ bytes, isBinary }),
            onLost(error) {
              notBeforeMs = systemClock.nowMs() + PAUSE_MS
              if (error instanceof Refused) reader.fail(unreachable(title, error))
              else onLost(error)
            },
          },
          signal,
        )
      },
    }),
  )
}
