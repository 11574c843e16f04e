// Who may send to a webhook: by a token, or by a signature of what is sent.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isForeignSite, isSameOrigin } from '../../../base/web-origin.ts'

export interface WebhookSignature {
  /** The header that holds it: `x-hub-signature-256`. */
  readonly header: string
  /** What sender and receiver know, and nobody else. */
  readonly secret: string
}

export interface Guard {
  readonly token: string | undefined
  readonly signature: WebhookSignature | undefined
}

/** Whether a request that says this of itself may send. */
export function hasToken({ headers }: IncomingMessage, { token }: Guard): boolean {
  if (token === undefined) return true
  const found = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
  return isSame(found, token)
}

/** Whether a body was signed: HMAC-SHA256 in hexadecimal, with `sha256=` before it or without. */
export function isSigned({ headers }: IncomingMessage, body: Uint8Array, { signature }: Guard): boolean {
  if (signature === undefined) return true
  const given = headers[signature.header.toLowerCase()]
  const found = String(given ?? '').replace(/^sha256=/, '')
  return isSame(found.toLowerCase(), createHmac('sha256', signature.secret).update(body).digest('hex'))
}

/** Takes as long for texts that differ at the start as for those that differ at the end. */
function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer]
  return timingSafeEqual(one, other)
}

/** Whether a page that a browser shows has made it send, other than one of this very server. */
export function isSentByPage({ headers }: IncomingMessage): boolean {
  const { origin, host = '' } = headers
  return isForeignSite(headers['sec-fetch-site']) || (origin !== undefined && !isSameOrigin(origin, host))
}

/** Whether a request names this machine: one by a name that somebody else made point here does not (DNS rebinding). */
export function namesThisMachine({ headers }: IncomingMessage): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(headers.host ?? '')
}
