// Reads pages one after the other, and the items of each.

import { describeValue } from '../../../base/check.ts'
import { systemClock } from '../../../base/clock.ts'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import { type ReadBatch, readOf } from '../../batch.ts'
import { Pacer } from '../../kits/http/pacer.ts'
import { type RequestOptions, request } from '../../kits/http/request.ts'
import { jsonText } from '../../kits/json/line.ts'
import type { JsonBigInts } from '../../kits/json/numbers.ts'
import { digestOf } from '../../kits/rows/stood.ts'
import { deadLetter, type SourceRecord, tracked } from '../../origin.ts'
import type { SourceCounts, SplitReader } from '../../source.ts'
import { faultOfItem, parsePage, rounded } from './exact.ts'
import type { HttpPage } from './page.ts'

/** The position of a reader, as JSON. */
export type PagePosition = {
  /** The page, from the first slash on. */
  readonly page: string
  /** How many of its items were emitted. */
  readonly index: number
  /** How many items were emitted of all pages. */
  readonly items: number
  /** How many pages were requested before this one. */
  readonly pages: number
  /** Identifies the last emitted item of this page: its id, or all of it. */
  readonly last?: string
}

export interface PageSettings<T> extends Pick<RequestOptions, 'address' | 'timeoutMs' | 'retryMs'> {
  readonly items: (page: HttpPage) => readonly T[]
  readonly next: (page: HttpPage) => string | URL | null | undefined
  readonly bigints: JsonBigInts
  /** Receives notes about items that may have changed. */
  readonly onNote: ((note: string) => void) | undefined
  readonly maxPageBytes: number
  readonly maxPages: number
}

/** The step of dead letters. */
const STEP = 'http-pages'
const BY_ID = 'id '

const BACKOFF = { firstMs: 200, capMs: 20_000 }

export class PageReader<T> implements SplitReader<T> {
  readonly #settings: PageSettings<T>
  readonly #pacer = new Pacer(systemClock)
  /** Ends a request that is under way when the reader is closed. */
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  #position: PagePosition
  /** The items of the current page; undefined before that was requested. */
  #items: readonly T[] | undefined
  /** The next page; undefined after the last. */
  #next: string | undefined

  private constructor(settings: PageSettings<T>, from: PagePosition | undefined, signal: AbortSignal | undefined) {
    this.#settings = settings
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal])
    const { pathname, search } = new URL(settings.address.url)
    this.#position = from ?? { page: `${pathname}${search}`, index: 0, items: 0, pages: 0 }
  }

  /** Goes to where an earlier run stopped. */
  static async open<T>(
    settings: PageSettings<T>,
    from: PagePosition | undefined,
    signal: AbortSignal | undefined,
  ): Promise<PageReader<T>> {
    const reader = new PageReader(settings, from, signal)
    if (from === undefined || from.index === 0) return reader
    const items = await reader.#load()
    if (items.length < from.index) throw reader.#lost(`it has ${items.length} now`)
    reader.#checkLast(items[from.index - 1], from.last)
    return reader
  }

  /** If items were inserted before the position, as with the newest first, they would be skipped. */
  #checkLast(item: T | undefined, last: string | undefined): void {
    const now = knownBy(item)
    if (last === undefined || last === now) return
    const { index } = this.#position
    if (last.startsWith(BY_ID) || now.startsWith(BY_ID)) {
      const found = `item ${index} has changed, so items before it were added or removed`
      throw this.#lost(
        `${found}: ask for the oldest items first, or reset the checkpoint and read all again into a sink with a key`,
      )
    }
    this.#settings.onNote?.(
      `${this.#what()}: item ${index} is not as it was read: if items were added before it, they are not read (ask for the oldest first)`,
    )
  }

  #lost(found: string): SluiceError<'POSITION_LOST'> {
    const { index } = this.#position
    const message = `Cannot resume ${this.#what()} after item ${index}: ${found}`
    return new SluiceError('POSITION_LOST', message, {
      source: this.#settings.address.shown,
      position: `item ${index} of a page`,
    })
  }

  get doneBytes(): number {
    return 0
  }

  position(): PagePosition {
    return this.#position
  }

  read(max: number): ReadBatch<T> | undefined | Promise<ReadBatch<T> | undefined> {
    const at = this.#position.index
    if (this.#items !== undefined && at < this.#items.length) return this.#give(this.#items.slice(at, at + max))
    if (this.#items !== undefined && this.#next === undefined) return undefined
    return this.#turn(max)
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the reader of pages is closed'))
  }

  /** Moves on to the next page with items. */
  async #turn(max: number): Promise<ReadBatch<T> | undefined> {
    for (;;) {
      if (this.#items !== undefined) {
        if (this.#next === undefined) return undefined
        const { items, pages } = this.#position
        this.#position = { page: this.#next, index: 0, items, pages: pages + 1 }
        this.#items = undefined
      }
      const items = await this.#load()
      if (items.length > 0) return this.#give(items.slice(0, max))
    }
  }

  #give(items: readonly T[]): ReadBatch<T> {
    const { page, index, items: before, pages } = this.#position
    const { address, bigints } = this.#settings
    const entries = items.map((item, at): SourceRecord<T> => {
      const origin = { source: address.shown, line: 0, offset: before + at, raw: rawOf(item) }
      const fault = faultOfItem(item, bigints)
      return fault === undefined ? tracked(item, origin) : deadLetter(origin, STEP, fault)
    })
    const last = knownBy(items.at(-1))
    this.#position = { page, index: index + items.length, items: before + items.length, pages, last }
    this.counts.read += items.length
    return readOf(entries)
  }

  /** Requests the current page. */
  async #load(): Promise<readonly T[]> {
    const { address, maxPages, bigints, items: itemsOf, next: nextOf } = this.#settings
    if (this.#position.pages >= maxPages) {
      const message = `Cannot read ${this.#what()}: these are over ${maxPages} pages (maxPages): do they end?`
      const details = { source: address.shown, limit: maxPages, found: this.#position.pages + 1 }
      throw new SluiceError('SOURCE_LIMIT', message, details)
    }
    const url = new URL(this.#position.page, address.url).href
    const page = await this.#fetch(url)
    const items = itemsOf(page)
    if (!Array.isArray(items)) throw this.#corrupt('its items are not an array')
    const next = nextOf(page)
    this.#next = next === undefined || next === null || next === '' ? undefined : this.#checked(next, url)
    this.#items = bigints === 'number' ? items.map(rounded) : items
    return this.#items
  }

  /** The path of the next page, if it is on the same server. */
  #checked(next: unknown, from: string): string {
    if (typeof next !== 'string' && !(next instanceof URL)) throw this.#corrupt('its next page is not an address')
    let url: URL
    try {
      url = new URL(next, from)
    } catch {
      // Not shown: it may hold a token.
      throw this.#corrupt('its next page is not an address')
    }
    if (url.origin !== this.#settings.address.shown) throw this.#corrupt(`its next page is at ${url.origin}`)
    const page = `${url.pathname}${url.search}`
    if (page === this.#position.page) throw this.#corrupt('it names itself as the next page')
    return page
  }

  async #fetch(url: string): Promise<HttpPage> {
    const { address, timeoutMs, retryMs, maxPageBytes } = this.#settings
    const answer = await request({
      address,
      url,
      method: 'GET',
      headers: { accept: 'application/json' },
      timeoutMs,
      retryMs,
      backoff: BACKOFF,
      maxBytes: maxPageBytes,
      pacer: this.#pacer,
      clock: systemClock,
      signal: this.#signal,
    })
    switch (answer.kind) {
      case 'ok':
        if (!answer.isUtf8) throw this.#corrupt('it is not UTF-8')
        try {
          return { body: parsePage(answer.body), headers: answer.headers, url }
        } catch (error) {
          throw this.#corrupt(`it is not valid JSON (${address.withoutSecrets(messageOf(error)).slice(0, 100)})`)
        }
      case 'too-large': {
        const message = `Cannot read ${this.#what()}: it is over ${maxPageBytes} bytes (maxPageBytes)`
        const details = { source: address.shown, limit: maxPageBytes, found: maxPageBytes + 1 }
        throw new SluiceError('SOURCE_LIMIT', message, details)
      }
      case 'corrupt':
        throw this.#corrupt(`it cannot be decompressed (${answer.reason})`)
      case 'refused':
        throw this.#unreadable(`it answered ${answer.status}`, `HTTP ${answer.status}`)
      case 'unreachable':
        throw this.#unreadable(`${answer.attempts} attempts failed, the last with: ${answer.reason}`, 'unreachable')
    }
  }

  #what(): string {
    return `page ${this.#position.pages + 1} of ${this.#settings.address.shown}`
  }

  #unreadable(found: string, errno: string): SluiceError<'SOURCE_UNREADABLE'> {
    const details = { source: this.#settings.address.shown, offset: this.#position.items, errno }
    return new SluiceError('SOURCE_UNREADABLE', `Cannot read ${this.#what()}: ${found}`, details)
  }

  #corrupt(found: string): SluiceError<'SOURCE_CORRUPT'> {
    const details = { source: this.#settings.address.shown, offset: this.#position.items, found }
    return new SluiceError('SOURCE_CORRUPT', `Cannot read ${this.#what()}: ${found}`, details)
  }
}

/** Tells an item from others: its id if it has one, as other fields may change. */
function knownBy(item: unknown): string {
  const { id } = (typeof item === 'object' && item !== null ? item : {}) as { readonly id?: unknown }
  if (typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint') return `${BY_ID}${digestOf(`${id}`)}`
  return digestOf(rawOf(item))
}

/** An item as JSON, with its numbers as they were written. */
function rawOf(item: unknown): string {
  try {
    return jsonText(item)
  } catch {
    // An item made by the function `items` that JSON cannot represent.
    return describeValue(item)
  }
}
