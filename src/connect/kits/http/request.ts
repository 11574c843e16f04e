// One HTTP request, retried until it is answered: with back-off, a time limit for each attempt and one for all.

import { isUtf8 } from 'node:buffer'
import { addAbortListener } from 'node:events'
import { type Backoff, backoffMs } from '../../../base/backoff.ts'
import type { Clock } from '../../../base/clock.ts'
import { errnoOf, messageOf } from '../../../base/errors.ts'
import type { Address } from './address.ts'
import type { Pacer } from './pacer.ts'
import { retryAfterMs } from './retry-after.ts'

export interface RequestOptions {
  readonly address: Address
  /** The address itself by default: another page of the same server. */
  readonly url?: string
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The longest that one attempt may take, in clock milliseconds. */
  readonly timeoutMs: number
  /** No attempt begins later than this after the first, in clock milliseconds. */
  readonly retryMs: number
  readonly backoff: Backoff
  /** The most bytes accepted of an answer; 0 if the content does not matter. */
  readonly maxBytes: number
  readonly pacer: Pacer
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
}

/** The outcome of a request. */
export type Answer =
  | {
      readonly kind: 'ok'
      readonly status: number
      readonly headers: Headers
      readonly body: string
      /** Whether the body is UTF-8: otherwise it contains replacement characters. */
      readonly isUtf8: boolean
    }
  /** The server rejects it, and would again. `body` is the beginning. */
  | { readonly kind: 'refused'; readonly status: number; readonly headers: Headers; readonly body: string }
  /** No answer, or only ones that promise a better one later. `reason` is for people. */
  | { readonly kind: 'unreachable'; readonly attempts: number; readonly reason: string }
  | { readonly kind: 'too-large'; readonly maxBytes: number }
  /** Its content does not match its encoding, and would not next time. `reason` is for people. */
  | { readonly kind: 'corrupt'; readonly reason: string }

/** How much of an error response is read. */
const REASON_BYTES = 1024
/** How much of an unneeded response is read, to reuse the connection. */
const UNWANTED_BYTES = 64 * 1024

/** Sends a request until there is a final answer. Rejects only with the reason of `signal`. */
export async function request(options: RequestOptions): Promise<Answer> {
  const { clock, pacer, retryMs, backoff, signal } = options
  const startMs = clock.nowMs()
  for (let attempts = 1; ; attempts += 1) {
    await pacer.turn(signal)
    const outcome = await attempt(options)
    signal?.throwIfAborted()
    if (outcome.kind !== 'failed') {
      pacer.succeeded()
      return outcome
    }
    const askedMs = outcome.waitMs ?? 0
    pacer.failed(askedMs)
    const waitMs = Math.max(askedMs, backoffMs(attempts, backoff))
    const passedMs = clock.nowMs() - startMs
    if (passedMs + waitMs > retryMs) return { kind: 'unreachable', attempts, reason: outcome.reason }
    await clock.sleep(waitMs, signal)
  }
}

interface Failed {
  readonly kind: 'failed'
  readonly reason: string
  /** The delay that the server asks for, in milliseconds. */
  readonly waitMs?: number | undefined
}

async function attempt(options: RequestOptions): Promise<Answer | Failed> {
  const { address, timeoutMs, clock, signal } = options
  const own = await address.headers(signal)
  for (const [name, value] of Object.entries(options.headers ?? {})) own.set(name, value)
  const limit = new AbortController()
  const stop = (): void => limit.abort()
  using _ = signal && addAbortListener(signal, stop)
  const done = new AbortController()
  // Ended by `done`, or by its own timeout at the latest.
  void clock.sleep(timeoutMs, done.signal).then(stop, () => {})
  try {
    const { method, body, url = address.url } = options
    const init = { method, headers: own, redirect: 'manual', signal: limit.signal } as const
    // As bytes: a string would be kept in addition to what is sent.
    const response = await fetch(url, body === undefined ? init : { ...init, body: Buffer.from(body) })
    return await answerOf(response, options)
  } catch (error) {
    if (limit.signal.aborted) return { kind: 'failed', reason: `it did not answer within ${timeoutMs} ms` }
    if (isCorrupt(error)) return { kind: 'corrupt', reason: reasonOf(error) }
    return { kind: 'failed', reason: address.withoutSecrets(reasonOf(error)) }
  } finally {
    done.abort()
  }
}

async function answerOf(response: Response, { address, maxBytes, clock }: RequestOptions): Promise<Answer | Failed> {
  const { status, headers } = response
  if (status >= 200 && status < 300) {
    if (maxBytes === 0) {
      // The status decides: a later failure must not cause a resend.
      await readUpTo(response, UNWANTED_BYTES).catch(() => {})
      return { kind: 'ok', status, headers, body: '', isUtf8: true }
    }
    const body = await readUpTo(response, maxBytes)
    const { text, isUtf8 } = body
    return body.isWhole ? { kind: 'ok', status, headers, body: text, isUtf8 } : { kind: 'too-large', maxBytes }
  }
  const body = address.withoutSecrets((await readUpTo(response, REASON_BYTES)).text)
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    const waitMs = retryAfterMs(headers.get('retry-after'), clock.wallMs())
    return { kind: 'failed', reason: `it answered ${status}`, waitMs }
  }
  return { kind: 'refused', status, headers, body }
}

/** The text of a response, up to `maxBytes`; the rest is not read. */
async function readUpTo(
  response: Response,
  maxBytes: number,
): Promise<{ text: string; isWhole: boolean; isUtf8: boolean }> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  let isWhole = true
  if (response.body !== null) {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes <= maxBytes) continue
      isWhole = false
      // Leaving the loop cancels the rest.
      break
    }
  }
  const read = Buffer.concat(chunks).subarray(0, maxBytes)
  return { text: read.toString(), isWhole, isUtf8: isUtf8(read) }
}

/** Whether a response cannot be decompressed, and could not next time. A truncated one may be complete then. */
export function isCorrupt(error: unknown): boolean {
  const code = errnoOf(error instanceof Error ? (error.cause ?? error) : error)
  return /^(Z_DATA_ERROR$|ERR_?_ERROR_FORMAT|ZSTD_error)/.test(code)
}

/** The message of a failed fetch or connection: that of its cause, as `fetch failed` says nothing. */
export function reasonOf(error: unknown): string {
  const cause = (error instanceof Error ? error.cause : undefined) ?? error
  // A name may have several addresses, and none of them answered.
  if (cause instanceof AggregateError) return cause.errors.map((one) => messageOf(one)).join(', ')
  return messageOf(cause)
}
