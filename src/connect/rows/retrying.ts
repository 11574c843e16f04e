// A reader that opens its source again when that is lost, and goes on behind the last row that it gave.

import { backoffMs } from '../../base/backoff.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { isPromise } from '../../base/promise.ts'
import type { Entry } from '../origin.ts'
import type { OnDeadLetter, Position, SourceCounts, SplitReader } from '../source.ts'

export interface RetryingOptions<T> {
  /** Opens a reader that goes on from a position. */
  readonly open: (from: Position | undefined) => Promise<SplitReader<T>>
  readonly from: Position | undefined
  /** Whether trying again may help. */
  readonly mayPass: (error: unknown) => boolean
  /** How long the source may be gone, in clock milliseconds. */
  readonly retryMs: number
  readonly signal: AbortSignal | undefined
  readonly onNote: ((note: string) => void) | undefined
  readonly clock?: Clock
}

const WAITS = { firstMs: 100, capMs: 5000 }

/**
 * Opens a reader, and another one from its position whenever its source is lost. What was given is not given again.
 *
 * @throws the last error, once the source was gone for `retryMs`, and any that trying again does not help against
 */
export async function retryingReader<T>(options: RetryingOptions<T>): Promise<SplitReader<T>> {
  const reader = new RetryingReader(options)
  await reader.open()
  return reader
}

class RetryingReader<T> implements SplitReader<T> {
  readonly #options: RetryingOptions<T>
  readonly #clock: Clock
  /** Ends a wait when the reader is closed. */
  readonly #closing = new AbortController()
  #inner: SplitReader<T> | undefined
  #from: Position | undefined
  /** Of readers that are closed. */
  #before: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  #bytesBefore = 0
  note?: string
  /** Since something was read, and when the first of them was. */
  #failures = 0
  #lostMs = 0

  constructor(options: RetryingOptions<T>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#from = options.from
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

  read(max: number): readonly Entry<T>[] | undefined | Promise<readonly Entry<T>[] | undefined> {
    return this.#through((inner) => inner.read(max))
  }

  values(max: number, dead: OnDeadLetter): readonly T[] | undefined | Promise<readonly T[] | undefined> {
    return this.#through(async (inner) => await inner.values?.(max, dead))
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the reader is closed'))
    await this.#inner?.close()
  }

  #through<R>(read: (inner: SplitReader<T>) => R | Promise<R>): R | Promise<R> {
    try {
      const found = read(this.#inner as SplitReader<T>)
      if (!isPromise(found)) return this.#reached(found)
      return found.then(
        (later) => this.#reached(later),
        (error: unknown) => this.#again(error, read),
      )
    } catch (error) {
      return this.#again(error, read)
    }
  }

  #reached<R>(found: R): R {
    this.#failures = 0
    return found
  }

  async #again<R>(error: unknown, read: (inner: SplitReader<T>) => R | Promise<R>): Promise<R> {
    const waitMs = this.#waitFor(error)
    this.#options.onNote?.(`${messageOf(error)}: reading goes on once it can be reached again`)
    await this.#drop()
    await this.#wait(error, waitMs)
    await this.#establish()
    return await this.#through(read)
  }

  /** Keeps what the reader that is lost has come to. */
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
    for (;;) {
      try {
        this.#inner = await this.#options.open(this.#from)
        return
      } catch (error) {
        await this.#wait(error, this.#waitFor(error))
      }
    }
  }

  /** How long to wait before another attempt. Throws the error where there is to be none. */
  #waitFor(error: unknown): number {
    if (!this.#mayPass(error)) throw error
    const nowMs = this.#clock.nowMs()
    if (this.#failures === 0) this.#lostMs = nowMs
    this.#failures += 1
    const waitMs = backoffMs(this.#failures, WAITS)
    if (nowMs + waitMs - this.#lostMs > this.#options.retryMs) throw error
    return waitMs
  }

  async #wait(error: unknown, waitMs: number): Promise<void> {
    const { signal } = this.#options
    const { signal: closing } = this.#closing
    await this.#clock.sleep(waitMs, signal === undefined ? closing : AbortSignal.any([signal, closing])).catch(() => {
      throw signal?.aborted === true ? signal.reason : error
    })
  }

  #mayPass(error: unknown): boolean {
    const { signal, mayPass } = this.#options
    return signal?.aborted !== true && !this.#closing.signal.aborted && mayPass(error)
  }
}
