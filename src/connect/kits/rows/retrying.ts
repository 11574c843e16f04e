// A reader that reopens its source when it is lost, and continues after the last row returned.

import { type Backoff, backoffMs } from '../../../base/backoff.ts'
import { type Clock, systemClock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import { isPromise } from '../../../base/promise.ts'
import type { ReadBatch } from '../../batch.ts'
import type { Position, SourceCounts, SplitReader } from '../../source.ts'

export interface RetryOptions {
  /** Whether a retry may help. */
  readonly mayPass: (error: unknown) => boolean
  /** How long the source may be gone, in clock milliseconds. */
  readonly retryMs: number
  readonly signal: AbortSignal | undefined
  readonly clock?: Clock | undefined
  /** Between two attempts: at most one per second by default, as a server that starts up must not be slowed down. */
  readonly waits?: Backoff
}

export interface RetryingOptions<T> extends RetryOptions {
  /** Opens a reader that continues from a position. */
  readonly open: (from: Position | undefined) => Promise<SplitReader<T>>
  readonly from: Position | undefined
  readonly onNote: ((note: string) => void) | undefined
}

const WAITS = { firstMs: 2000, capMs: 30_000 }

/**
 * Opens a reader, and another one from its position whenever its source is lost. Nothing is returned twice.
 *
 * @throws the last error, once the source was gone for `retryMs`, and any error for which a retry is no help
 */
export async function retryingReader<T>(options: RetryingOptions<T>): Promise<SplitReader<T>> {
  const reader = new RetryingReader(options)
  await reader.open()
  return reader
}

class RetryingReader<T> implements SplitReader<T> {
  readonly #options: RetryingOptions<T>
  readonly #losses: Losses
  /** Ends a wait when the reader is closed. */
  readonly #closing = new AbortController()
  #inner: SplitReader<T> | undefined
  #from: Position | undefined
  /** For closed readers. */
  #before: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  #bytesBefore = 0
  note?: string

  constructor(options: RetryingOptions<T>) {
    this.#options = options
    this.#from = options.from
    const { signal } = options
    const { signal: closing } = this.#closing
    this.#losses = new Losses({
      ...options,
      signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
    })
  }

  async open(): Promise<void> {
    await this.#establish()
    const { note } = this.#inner as SplitReader<T>
    if (note !== undefined) this.note = note
  }

  get counts(): SourceCounts {
    const { read, blank, invalidUtf8 } = this.#inner?.counts ?? { read: 0, blank: 0, invalidUtf8: 0 }
    const before = this.#before
    return {
      read: before.read + read,
      blank: before.blank + blank,
      invalidUtf8: before.invalidUtf8 + invalidUtf8,
    }
  }

  get doneBytes(): number {
    return this.#bytesBefore + (this.#inner?.doneBytes ?? 0)
  }

  position(): Position {
    return this.#inner?.position() ?? (this.#from as Position)
  }

  read(max: number): ReadBatch<T> | undefined | Promise<ReadBatch<T> | undefined> {
    try {
      const found = (this.#inner as SplitReader<T>).read(max)
      if (!isPromise(found)) return this.#reached(found)
      return found.then(
        (later) => this.#reached(later),
        (error: unknown) => this.#again(error, max),
      )
    } catch (error) {
      return this.#again(error, max)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the reader is closed'))
    await this.#inner?.close()
  }

  #reached(found: ReadBatch<T> | undefined): ReadBatch<T> | undefined {
    this.#losses.over()
    return found
  }

  async #again(error: unknown, max: number): Promise<ReadBatch<T> | undefined> {
    const waitMs = this.#losses.waitFor(error)
    this.#options.onNote?.(`${messageOf(error)}: reading continues once it is reachable again`)
    await this.#drop()
    await this.#losses.wait(error, waitMs)
    await this.#establish()
    return await this.read(max)
  }

  /** Keeps the progress of the lost reader. */
  async #drop(): Promise<void> {
    const inner = this.#inner
    if (inner === undefined) return
    const [counts, doneBytes] = [this.counts, this.doneBytes]
    this.#from = inner.position()
    this.#inner = undefined
    this.#before = counts
    this.#bytesBefore = doneBytes
    await inner.close()
  }

  async #establish(): Promise<void> {
    this.#inner = await this.#losses.through(async () => await this.#options.open(this.#from))
  }
}

/** How often something was lost in a row, and whether to retry. */
class Losses {
  readonly #options: RetryOptions
  readonly #clock: Clock
  /** Since it last worked, and when the first loss was. */
  #count = 0
  #sinceMs = 0

  constructor(options: RetryOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Tries until it works. */
  async through<R>(work: () => Promise<R>): Promise<R> {
    const startMs = this.#clock.nowMs()
    for (;;) {
      try {
        return await work()
      } catch (error) {
        await this.wait(error, this.waitFor(error, startMs))
      }
    }
  }

  /** It works: earlier losses no longer count. */
  over(): void {
    this.#count = 0
  }

  /** How long to wait before another attempt. Throws the error if there must be no more. */
  waitFor(error: unknown, sinceMs = this.#clock.nowMs()): number {
    const { signal, mayPass, retryMs, waits = WAITS } = this.#options
    if (signal?.aborted === true || !mayPass(error)) throw error
    const nowMs = this.#clock.nowMs()
    if (this.#count === 0) this.#sinceMs = sinceMs
    this.#count += 1
    const waitMs = backoffMs(this.#count, waits)
    if (nowMs + waitMs - this.#sinceMs > retryMs) throw error
    return waitMs
  }

  /** Throws the reason of the signal once it is aborted. */
  async wait(error: unknown, waitMs: number): Promise<void> {
    const { signal } = this.#options
    await this.#clock.sleep(waitMs, signal).catch(() => {
      throw signal?.aborted === true ? signal.reason : error
    })
  }
}

/** Does something, and retries while its connection is lost, for `retryMs`. */
export async function retried<R>(work: () => Promise<R>, options: RetryOptions): Promise<R> {
  return await new Losses(options).through(work)
}
