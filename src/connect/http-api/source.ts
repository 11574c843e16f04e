// The source of items that a server returns page by page.

import { isCount } from '../../base/check.ts'
import { SluiceError } from '../../base/errors.ts'
import { aFunction, anything, type Checks, checkOptions, choice, integer, milliseconds } from '../../base/options.ts'
import { Address, type HeaderSource } from '../kits/http/address.ts'
import { BIGINTS, type JsonBigInts } from '../kits/json/numbers.ts'
import type { Json, Source } from '../source.ts'
import type { HttpPage } from './pages/page.ts'
import { type PagePosition, PageReader } from './pages/reader.ts'

export type { HttpPage } from './pages/page.ts'

export interface HttpSourceOptions<T> {
  /** The items of a page, in order: by default the body itself, which must be an array then. */
  readonly items?: (page: HttpPage) => readonly T[]
  /**
   * The address of the next page, absolute or relative; undefined or null after the last. By default what the `Link`
   * header names as next.
   */
  readonly next?: (page: HttpPage) => string | URL | null | undefined
  /**
   * What becomes of an item with an integer beyond 2^53: `reject` makes a dead letter of it (the default), `bigint` a
   * bigint of the number, `number` the nearest number. For `items` and `next` such numbers are bigints.
   */
  readonly bigints?: JsonBigInts
  /** Headers of every request, or a function that returns them before each attempt. */
  readonly headers?: HeaderSource
  /** The timeout of one attempt: 30,000 by default. */
  readonly timeoutMs?: number
  /** How long a request is retried before the run gives up: 120,000 by default. */
  readonly retryMs?: number
  /** Most bytes of one page, 16 MiB by default. */
  readonly maxPageBytes?: number
  /** Most pages in all runs, 100,000 by default: ends a circle of pages. */
  readonly maxPages?: number
}

const SPLIT = 'pages'
const OPTIONS: Checks<HttpSourceOptions<unknown>> = {
  items: aFunction,
  next: aFunction,
  bigints: choice(...BIGINTS),
  headers: anything,
  timeoutMs: milliseconds(1),
  retryMs: milliseconds(),
  maxPageBytes: integer(1),
  maxPages: integer(1),
}

/**
 * Reads pages of JSON, each of which names the next one.
 *
 * - **Resume**: the position is the address of the page and how many of its items were emitted. The page is requested
 *   again and these are skipped: ask for the oldest first. If the last one of them has changed (by its `id`), as with
 *   the newest first, the run ends (POSITION_LOST); items without an id are compared as a whole, and a note says that
 *   they differ. The last page is requested again for more.
 * - **Numbers** are exact, or their item becomes a dead letter (`bigints`).
 * - **Origins** count items from 0 over all pages, as the offset; the raw form is the item as JSON.
 * - **Retries** as {@link httpSink} does; a rejection by the server stops the run.
 * - **Other servers** are never contacted: a next page must have the same scheme, host and port, as it gets the
 *   headers.
 * - **Memory** is bounded by `maxPageBytes`: one page is held at a time.
 * - **Secrets** belong in headers: addresses of pages are stored in the checkpoint. None is ever shown.
 *
 * @throws {SluiceError} CONFIG_INVALID for an invalid address; then SOURCE_UNREADABLE, SOURCE_CORRUPT for an invalid
 *   page, SOURCE_LIMIT, POSITION_LOST
 * @example
 * const issues = httpSource<{ id: number }>('https://example.com/issues?per_page=100', {
 *   items: ({ body }) => (body as { items: { id: number }[] }).items,
 * })
 * issues.title // => 'pages of https://example.com'
 */
export function httpSource<T>(url: string | URL, options: HttpSourceOptions<T> = {}): Source<T> {
  checkOptions('httpSource', options, OPTIONS)
  const address = new Address('httpSource', url, options.headers)
  const { timeoutMs = 30_000, retryMs = 120_000 } = options
  const { maxPageBytes = 16 * 1024 * 1024, maxPages = 100_000 } = options
  const { items = bodyOf<T>, next = linked, bigints = 'reject' } = options
  const settings = { address, items, next, bigints, timeoutMs, retryMs, maxPageBytes, maxPages }
  return {
    kind: 'http-pages',
    title: `pages of ${address.shown}`,
    provided: 'as long as the server returns the same again',
    isCounted: true,
    splits: async () => [{ id: SPLIT }],
    open: async (_split, from, { signal, onNote } = {}) => {
      signal?.throwIfAborted()
      return await PageReader.open<T>(
        { ...settings, onNote },
        from === undefined ? undefined : positionOf(address, from),
        signal,
      )
    },
  }
}

function bodyOf<T>({ body }: HttpPage): readonly T[] {
  return body as readonly T[]
}

/** The target of `Link: <…>; rel="next"`. */
function linked({ headers }: HttpPage): string | undefined {
  const header = headers.get('link') ?? ''
  for (const [, target, params = ''] of header.matchAll(/<([^<>]*)>((?:\s*;\s*[^;,<>"]*(?:"[^"]*")?)*)/g)) {
    if (/;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?:\s|;|$))/i.test(params)) return target
  }
  return undefined
}

function positionOf(address: Address, from: Json): PagePosition {
  const { page, index, items, pages } = (from ?? {}) as Partial<PagePosition>
  const areCounts = [index, items, pages].every(isCount)
  if (typeof page === 'string' && /^\/(?![/\\])/.test(page) && areCounts) return from as PagePosition
  const message = `Cannot resume pages of ${address.shown}: the checkpoint holds no position of a page`
  throw new SluiceError('POSITION_LOST', message, { source: address.shown, position: 'not that of a page' })
}
