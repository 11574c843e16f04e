// The source of server-sent events over HTTP, without end.

import { checkFunctions, checkInteger, checkKeys, checkMs } from '../../base/check.ts'
import type { LineFormat } from '../format.ts'
import type { ToEvent } from '../kits/broker/body.ts'
import { liveSource } from '../kits/broker/source.ts'
import { Address, type HeaderSource } from '../kits/http/address.ts'
import type { Source } from '../source.ts'
import type { SseMeta } from './protocol.ts'

export type { SseMeta } from './protocol.ts'

export interface SseSourceOptions<B, T> {
  /** Headers of every request, or a function that returns them before each. */
  readonly headers?: HeaderSource
  /** Makes an event of a server event's data and metadata: the data by default. */
  readonly event?: ToEvent<B, SseMeta, T>
  /** The longest data of one event: 1 MiB by default. */
  readonly maxBytes?: number
  /**
   * How long to wait without any data, not even a comment, before reconnecting, in milliseconds: 120,000 by default,
   * 300,000 at most.
   */
  readonly idleMs?: number
  /** Gives up after this long without a connection, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
}

const OPTIONS = ['headers', 'event', 'maxBytes', 'idleMs', 'retryMs']

/**
 * Reads the events that a server sends (`text/event-stream`).
 *
 * - **Resumes** after the last committed event, by its id (`Last-Event-ID`). Exactly once with a transactional sink, as
 *   long as the server gives every event an id, and still has what followed; without ids, at most once.
 * - **Demand**: reading pauses while enough is waiting.
 * - **Reconnects** when the stream ends or breaks, after the server's `retry` time (at most a minute), or a second; if
 *   that fails, for `retryMs`, with a back-off.
 * - **Ends** when the server says that there is nothing more (204).
 * - **Rejects** data that is not in the format or over `maxBytes`: a dead letter. A status other than 200, or another
 *   content type, ends the run.
 * - **Origins** count events over all runs, as the offset.
 * - **Secrets** of address and headers are never shown.
 *
 * @throws {SluiceError} CONFIG_INVALID for an invalid address; then SOURCE_UNREADABLE, POSITION_LOST
 * @example
 * sseSource('https://example.com/changes?since=1', json()).title // => 'events of https://example.com'
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function sseSource<B, T = B>(
  url: string | URL,
  format: LineFormat<B>,
  options: SseSourceOptions<B, T> = {},
): Source<T> {
  checkKeys('sseSource', options, OPTIONS)
  const { headers, event, maxBytes = 1024 * 1024, idleMs = 120_000, retryMs = 60_000 } = options
  const address = new Address('sseSource', url, headers)
  checkInteger('maxBytes', maxBytes, 1, 256 * 1024 * 1024)
  checkInteger('idleMs', idleMs, 1, 300_000)
  checkMs('retryMs', retryMs)
  checkFunctions({ event })
  const title = `events of ${address.shown}`
  const settings = { title, address, maxBytes, idleMs, retryMs }
  return liveSource<T>({
    kind: 'sse',
    title,
    provided: 'as long as the server names its events and has what followed',
    split: 'events',
    format,
    event,
    load: async (opening) => {
      const { openServerSentEvents } = await import('./open.ts')
      return await openServerSentEvents<B, T>({ ...settings, format, event, ...opening })
    },
  })
}
