// The source of requests that others post: answered once they are committed.

import { checkInteger, checkKeys } from '../../base/check.ts'
import { aFunction, anything, type Checks, checkOptions, integer } from '../../base/options.ts'
import type { LineFormat } from '../format.ts'
import type { ToEvent } from '../kits/broker/body.ts'
import { liveSource } from '../kits/broker/source.ts'
import { optionInvalid } from '../kits/config.ts'
import type { Source } from '../source.ts'
import type { WebhookSignature } from './server/guard.ts'
import type { WebhookMeta } from './server.ts'

export type { WebhookSignature } from './server/guard.ts'
export type { WebhookMeta } from './server.ts'

export interface WebhookSourceOptions<B, T> {
  /** The port to listen on; 0 picks a free one, passed to `onListening`. */
  readonly port: number
  /** The address to listen on: `127.0.0.1` by default. Any other needs a token or a signature. */
  readonly host?: string
  /** `/` by default. */
  readonly path?: string
  /** What senders must send: `Authorization: Bearer …`. */
  readonly token?: string
  /** How senders sign what they send, by HMAC-SHA256: `{ header: 'x-hub-signature-256', secret }`. */
  readonly signature?: WebhookSignature
  /** The header that identifies a request, the same when it is sent again: `idempotency-key` by default. */
  readonly keyHeader?: string
  /** How many of the last keys are remembered over all runs: 10,000 by default. They are part of every checkpoint. */
  readonly remember?: number
  /** The longest body: 1 MiB by default. */
  readonly maxBytes?: number
  /** Makes an event of a body and its metadata: the body by default. */
  readonly event?: ToEvent<B, WebhookMeta, T>
  readonly onListening?: (port: number) => void
}

const OPTIONS: Checks<WebhookSourceOptions<unknown, unknown>> = {
  port: anything,
  host: anything,
  path: anything,
  token: anything,
  signature: anything,
  keyHeader: anything,
  remember: integer(0, 1_000_000),
  maxBytes: integer(1, 64 * 1024 * 1024),
  event: aFunction,
  onListening: aFunction,
}
const invalid = optionInvalid.bind(null, 'webhook')
const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

/**
 * Receives what others post, without end: each request is an event.
 *
 * - **Answers** 202 once the epoch of a request is committed, and nothing before: a sender that repeats unanswered
 *   requests loses nothing. With an `Idempotency-Key` it duplicates nothing either, as the last keys are remembered.
 * - **Rejects** anything but POST (405) to its path (404), without token or signature (401), too long (413), or
 *   compressed (415, `Content-Encoding`). With 429 and 503 a sender should retry: too much is waiting, or the run is
 *   about to end.
 * - **Web pages** cannot post, unless they are of this very server (403): `Origin` and `Sec-Fetch-Site` are checked,
 *   even with a token.
 * - **Signatures** are HMAC-SHA256 of the body in hexadecimal, as GitHub sends them. Other schemes (Stripe, Slack,
 *   Shopify, Twilio, Standard Webhooks) are not supported, and are answered 401: give these senders a token.
 * - **Bounds**: connections, headers, their time limits, and bodies under way: 64 MiB in total, whoever sends them.
 *   Beyond that, the oldest one is told to retry (429).
 * - **Without token and signature** it listens on this machine only, and rejects requests for other hosts.
 * - **Origins** name the path, and count requests over all runs, as the offset.
 *
 * @throws {SluiceError} CONFIG_INVALID for invalid options; then SOURCE_UNREADABLE if it cannot listen
 * @example
 * webhookSource({ port: 8080, path: '/orders', token: 'a secret' }, json()).title // => 'webhook /orders at 127.0.0.1:8080'
 */
export function webhookSource<B, T = B>(options: WebhookSourceOptions<B, T>, format: LineFormat<B>): Source<T> {
  checkOptions('webhookSource', options, OPTIONS)
  const { port, host = '127.0.0.1', path = '/', token, signature, event, onListening } = options
  const { keyHeader = 'idempotency-key', remember = 10_000, maxBytes = 1024 * 1024 } = options
  checkInteger('port', port, 0, 65_535)
  if (typeof path !== 'string' || !/^\/[^\s?#]*$/.test(path)) throw invalid('path', path, 'a path that begins with /')
  if (typeof keyHeader !== 'string' || !/^[\w-]+$/.test(keyHeader)) throw invalid('keyHeader', keyHeader, 'a header')
  // Their values are never shown.
  if (token !== undefined && (typeof token !== 'string' || token.length < 8)) {
    throw invalid('token', undefined, 'a text of eight characters or more', 'this')
  }
  if (signature !== undefined) checkKeys('signature of webhookSource', signature, ['header', 'secret'])
  if (signature !== undefined && (!/^[\w-]+$/.test(signature.header) || String(signature.secret).length < 8)) {
    throw invalid('signature', undefined, 'a header, and a secret of eight characters or more', 'this')
  }
  if (!LOOPBACK.includes(host) && token === undefined && signature === undefined) {
    throw invalid('host', host, 'this machine alone (127.0.0.1) without token and signature')
  }
  const title = `webhook ${path} at ${host.includes(':') ? `[${host}]` : host}:${port}`
  const guard = { token, signature }
  const settings = { title, host, port, path, guard, remember, maxBytes, onListening, format, event }
  return liveSource<T>({
    kind: 'webhook',
    title,
    provided: 'as long as senders repeat unanswered requests, with a key',
    split: `webhook ${path}`,
    format,
    event,
    load: async (opening) => {
      const { openWebhook } = await import('./open.ts')
      return await openWebhook<B, T>({ ...settings, keyHeader: keyHeader.toLowerCase(), ...opening })
    },
  })
}
