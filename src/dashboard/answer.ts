// Responses of the dashboard: what all of them carry, and how much of a request is read.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { jsonLine } from '../observe/json.ts'

/** The largest request body. */
const MOST_BYTES = 4096

/** Makes a browser load nothing from elsewhere, forbid framing, and trust the declared types. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** An error in the request, or what prevents an answer. */
export class AnswerError extends Error {
  readonly status: number

  constructor(status: number, why: string) {
    super(why)
    this.status = status
  }
}

export interface Answer {
  readonly status?: number
  readonly type: string
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** Credentials are taken out of every text. */
export function jsonAnswer(value: unknown, more: Omit<Answer, 'type' | 'body'> = {}): Answer {
  return { type: 'application/json; charset=utf-8', body: jsonLine(value), ...more }
}

export function send(response: ServerResponse, { status = 200, type, body, headers = {} }: Answer): void {
  const isHead = response.req.method === 'HEAD'
  response.writeHead(status, {
    ...SAFE_HEADERS,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(isHead ? undefined : body)
}

/** The JSON object in the body of a request. @throws {AnswerError} if it holds something else, or too much */
export async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new AnswerError(415, 'The body must be application/json')
  }
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) throw tooLarge()
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    sizeBytes += chunk.length
    if (sizeBytes > MOST_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // Reported below, as everything that is not an object.
  }
  throw new AnswerError(400, 'The body must be a JSON object')
}

function tooLarge(): AnswerError {
  return new AnswerError(413, `The body must have at most ${MOST_BYTES} bytes`)
}
