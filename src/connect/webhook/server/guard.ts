// Who may send to a webhook: by a token, or by a signature of the body.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isForeignSite, isSameOrigin } from '../../../base/web-origin.ts'

export interface WebhookSignature {
  /** The header with the signature: `x-hub-signature-256`. */
  readonly header: string
  /** The shared secret of sender and receiver. */
  readonly secret: string
}

export interface Guard {
  readonly token: string | undefined
  readonly signature: WebhookSignature | undefined
}

/** Whether a request with this header may send. */
export function hasToken({ headers }: IncomingMessage, { token }: Guard): boolean {
  if (token === undefined) return true
  const found = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
  return isSame(found, token)
}

/** Whether a body was signed: HMAC-SHA256 in hexadecimal, with or without the prefix `sha256=`. */
export function isSigned({ headers }: IncomingMessage, body: Uint8Array, { signature }: Guard): boolean {
  if (signature === undefined) return true
  const given = headers[signature.header.toLowerCase()]
  const found = String(given ?? '').replace(/^sha256=/, '')
  return isSame(found.toLowerCase(), createHmac('sha256', signature.secret).update(body).digest('hex'))
}

/** In constant time, wherever the texts differ. */
function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer]
  return timingSafeEqual(one, other)
}

/** Whether a page in a browser sent it, other than one of this very server. */
export function isSentByPage({ headers }: IncomingMessage): boolean {
  const { origin, host = '' } = headers
  return isForeignSite(headers['sec-fetch-site']) || (origin !== undefined && !isSameOrigin(origin, host))
}

/** Whether a request names this machine: a foreign name that was pointed here does not (DNS rebinding). */
export function namesThisMachine({ headers }: IncomingMessage): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(headers.host ?? '')
}
