// The sink that posts rows to a server.

import { anything, type Checks, checkOptions, choice, fitting, integer, milliseconds } from '../../base/options.ts'
import { Address, type HeaderSource } from '../kits/http/address.ts'
import type { TwoPhaseSink } from '../sink.ts'

export interface HttpSinkOptions {
  /** `POST` by default. */
  readonly method?: 'POST' | 'PUT' | 'PATCH'
  /** The body of a request: one array of JSON (`json`, by default), or a line of JSON per row (`ndjson`). */
  readonly format?: 'json' | 'ndjson'
  /** Headers of every request, or a function that returns them before each attempt. */
  readonly headers?: HeaderSource
  /** The header with the idempotency key: `idempotency-key` by default. */
  readonly keyHeader?: string
  /** Whether rows name the record they were made from, as `_source`, `_offset` and `_part`: true by default. */
  readonly identity?: boolean
  /** Most rows in a request, 500 by default. */
  readonly batchRows?: number
  /** Most bytes in a request, approximately; 1 MiB by default. A larger row is sent alone. */
  readonly batchBytes?: number
  /** Most requests at a time, 4 by default. */
  readonly concurrency?: number
  /** The timeout of one attempt: 30,000 by default. */
  readonly timeoutMs?: number
  /** How long a request is retried before the run gives up: 120,000 by default. */
  readonly retryMs?: number
  /** Whether a rejected request is halved until the rejected rows are found. False by default. */
  readonly bisect?: boolean
}

const OPTIONS: Checks<HttpSinkOptions> = {
  method: choice('POST', 'PUT', 'PATCH'),
  format: choice('json', 'ndjson'),
  headers: anything,
  keyHeader: fitting((value) => /^[a-z0-9-]{1,100}$/i.test(value as string), 'the name of a header'),
  identity: anything,
  batchRows: integer(1),
  batchBytes: integer(1),
  concurrency: integer(1, 1000),
  timeoutMs: milliseconds(1),
  retryMs: milliseconds(),
  bisect: anything,
}

/**
 * Posts rows to an address, in batches.
 *
 * - **At least once**: after an interruption, a run sends again what came after its last commit. Rows carry the place
 *   of their record, by which a server can drop duplicates.
 * - **Keys**: every request has an idempotency key, the same for every attempt. It is made of pipeline, epoch, number
 *   and content: a later run that divides the rows differently never uses the key of other rows.
 * - **Retries**, with a back-off, after no answer, or a status of 408, 425, 429 or 5xx; no sooner than `Retry-After`
 *   says. A server in trouble gets one request per second, whatever `concurrency` is. After `retryMs` the run stops
 *   with SINK_UNREACHABLE.
 * - **Rejected**: any other 4xx makes dead letters of the rows of the request, with status and answer; with `bisect`
 *   only of those that are rejected alone. A request that is too large (413) is always halved. But 401, 403, 404, 405,
 *   407 and 410 are about the address and not about rows, as is a redirection: they stop the run.
 * - **Waits** for the answers to all its rows before it takes more.
 * - **Secrets**: only scheme, host and port of the address are ever shown; headers never.
 *
 * @throws {SluiceError} CONFIG_INVALID for an invalid address or header
 * @example
 * const sink = checkpointed(httpSink('https://ann:secret@example.com/rows?key=1'), { store: 'state.db' })
 * sink.title // => 'POST to https://example.com'
 * sink.guarantee // => 'at-least-once'
 */
export function httpSink<Row>(url: string | URL, options: HttpSinkOptions = {}): TwoPhaseSink<Row> {
  checkOptions('httpSink', options, OPTIONS)
  const address = new Address('httpSink', url, options.headers)
  const { method = 'POST', format = 'json', keyHeader = 'idempotency-key', identity = true } = options
  const { batchRows = 500, batchBytes = 1024 * 1024, concurrency = 4 } = options
  const { timeoutMs = 30_000, retryMs = 120_000, bisect = false } = options
  return {
    kind: 'http',
    title: `${method} to ${address.shown}`,
    guarantee: 'at-least-once',
    open: async (opening) => {
      const { HttpWriter } = await import('./requests/writer.ts')
      const batches = { batchRows, batchBytes, concurrency, bisect, identity, format }
      return new HttpWriter<Row>({ address, method, keyHeader, timeoutMs, retryMs, ...batches }, opening)
    },
  }
}
