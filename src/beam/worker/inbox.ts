// The elements of one bundle, from the stream that brings those of all bundles.

/** Parts that may wait while their bundle is not yet known, or is busy: the stream waits beyond that. */
const MOST_WAITING = 8

/** Parts of the data of a bundle, in order. */
export class Inbox {
  readonly #parts: Uint8Array[] = []
  #hasEnded = false
  /** Nothing is wanted any more. */
  #isClosed = false
  #error: unknown
  /** Whoever waits for more, or for room. */
  #wake: PromiseWithResolvers<void> = Promise.withResolvers()

  /** Resolves when there is room for more. */
  async put(part: Uint8Array, isLast: boolean): Promise<void> {
    if (this.#isClosed) return
    if (part.length > 0) this.#parts.push(part)
    if (isLast) this.#hasEnded = true
    this.#stir()
    while (this.#parts.length > MOST_WAITING && !this.#isClosed) await this.#wake.promise
  }

  /** The stream has failed: nothing more will come. */
  fail(error: unknown): void {
    this.#error ??= error
    this.#stir()
  }

  /** All parts, as they come; ends after the last. */
  async *parts(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const part = this.#parts.shift()
      if (part !== undefined) {
        this.#stir()
        yield part
      } else if (this.#hasEnded) return
      else if (this.#error !== undefined) throw this.#error
      else await this.#wake.promise
    }
  }

  /** What comes from now on is dropped. */
  close(): void {
    this.#isClosed = true
    this.#parts.length = 0
    this.#stir()
  }

  #stir(): void {
    const { resolve } = this.#wake
    this.#wake = Promise.withResolvers()
    resolve()
  }
}
