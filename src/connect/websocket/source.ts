// The source of messages that a server sends over a WebSocket.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { checkFunctions, checkInteger, checkKeys, checkMs } from '../../base/check.ts'
import type { LineFormat } from '../format.ts'
import type { ToEvent } from '../kits/broker/body.ts'
import { liveSource } from '../kits/broker/source.ts'
import { optionInvalid } from '../kits/config.ts'
import { Address, type HeaderSource } from '../kits/http/address.ts'
import type { Source } from '../source.ts'
import type { Greeting } from './connection.ts'
import type { WebSocketMeta } from './open.ts'

export type { WebSocketMeta } from './open.ts'

export interface WebSocketSourceOptions<B, T> {
  /** Headers of every handshake, or a function that returns them before each. */
  readonly headers?: HeaderSource
  /** Subprotocols to offer: none by default. */
  readonly protocols?: readonly string[]
  /** Texts that are sent each time a connection is open: to subscribe, to log in. Or a function that returns them. */
  readonly greeting?: Greeting
  /** Makes an event of a message's body and metadata: the body by default. */
  readonly event?: ToEvent<B, WebSocketMeta, T>
  /** For `wss:`: certificates, as `tls.connect` takes them. */
  readonly tls?: TlsOptions
  /** The longest message: 1 MiB by default. */
  readonly maxBytes?: number
  /**
   * How long to wait without any data, not even the answer to a ping, before reconnecting, in milliseconds: 60,000 by
   * default.
   */
  readonly idleMs?: number
  /** Gives up after this long without a connection, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
}

const OPTIONS = ['headers', 'protocols', 'greeting', 'event', 'tls', 'maxBytes', 'idleMs', 'retryMs']

/**
 * Reads the messages that a server sends over a WebSocket, without end. Needs the package `ws`.
 *
 * - **At most once**: the protocol has no acknowledgements. What was received and not committed is lost in a crash, and
 *   so is what a server sends while there is no connection, unless `greeting` asks for it.
 * - **Demand**: reading pauses while enough is waiting, so the server waits, or drops by its own rule.
 * - **Reconnects** when the connection ends or breaks, after a second, and if that fails, for `retryMs`, with a
 *   back-off; each time there is a note. If the server rejects the connection (a status of 4xx, or a code like 1008),
 *   the run fails.
 * - **Rejects** bodies that are not in the format: a dead letter. A message over `maxBytes` breaks the connection: it
 *   is lost, with a note.
 * - **Origins** count messages over all runs, as the offset.
 * - **Secrets** of address and headers are never shown.
 *
 * @throws {SluiceError} CONFIG_INVALID for an invalid address, or if `ws` is not installed; then SOURCE_UNREADABLE,
 *   POSITION_LOST
 * @throws {RangeError} for another invalid option
 * @example
 * const greeting = [JSON.stringify({ type: 'subscribe', channel: 'trades' })]
 * webSocketSource('wss://example.com/feed?key=secret', json(), { greeting }).title // => 'messages of wss://example.com'
 * @see https://www.rfc-editor.org/rfc/rfc6455
 */
export function webSocketSource<B, T = B>(
  url: string | URL,
  format: LineFormat<B>,
  options: WebSocketSourceOptions<B, T> = {},
): Source<T> {
  checkKeys('webSocketSource', options, OPTIONS)
  const { headers, protocols = [], greeting = [], event, tls } = options
  const { maxBytes = 1024 * 1024, idleMs = 60_000, retryMs = 60_000 } = options
  const address = new Address('webSocketSource', url, headers, ['ws', 'wss'])
  checkTexts('protocols', protocols)
  if (typeof greeting !== 'function') checkTexts('greeting', greeting)
  checkInteger('maxBytes', maxBytes, 1, 256 * 1024 * 1024)
  checkInteger('idleMs', idleMs, 10, 86_400_000)
  checkMs('retryMs', retryMs)
  checkFunctions({ event })
  const title = `messages of ${address.shown}`
  const settings = { title, address, protocols, greeting, tls, maxBytes, idleMs, retryMs }
  return liveSource<T>({
    kind: 'web-socket',
    title,
    delivery: 'at-most-once',
    split: 'messages',
    format,
    event,
    load: async (opening) => {
      const { openWebSocket } = await import('./open.ts')
      return await openWebSocket<B, T>({ ...settings, format, event, ...opening })
    },
  })
}

function checkTexts(key: string, value: unknown): void {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string' && text !== '')) return
  throw optionInvalid('webSocketSource', key, value, 'a list of texts')
}
