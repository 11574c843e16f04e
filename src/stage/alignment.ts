// Marks of a stage with several producers: watermarks combine by the minimum, barriers wait for each other.

/**
 * Combines the marks of several inputs. An input is any object; inputs that have ended no longer count.
 *
 * @example
 * const alignment = new Alignment<string>()
 * alignment.join('a')
 * alignment.join('b')
 * alignment.watermark('a', 10) // => undefined
 * alignment.watermark('b', 7) // => 7
 */
export class Alignment<I> {
  /** Input → its last watermark. */
  readonly #times = new Map<I, number>()
  /** Inputs where the barrier has arrived: their later events wait until it has arrived everywhere. */
  readonly #waiting = new Set<I>()
  /** The barrier that is being aligned. */
  #epoch: number | undefined
  /** The last combined watermark: it never goes back. */
  #time = Number.NEGATIVE_INFINITY

  join(input: I): void {
    this.#times.set(input, Number.NEGATIVE_INFINITY)
  }

  /** Whether any input waits: almost never, so it is checked first. */
  get hasWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** Whether the input's events must wait for a barrier on another input. */
  isWaiting(input: I): boolean {
    return this.#waiting.has(input)
  }

  /** The watermark of one input: returns the combined one if it has advanced. */
  watermark(input: I, time: number): number | undefined {
    this.#times.set(input, Math.max(time, this.#times.get(input) ?? Number.NEGATIVE_INFINITY))
    return this.#advance()
  }

  /**
   * The barrier of one input: returns its epoch once it has arrived on every input.
   *
   * @throws {RangeError} if another input waits for another epoch: events before each could not be told apart
   */
  barrier(input: I, epoch: number): number | undefined {
    if (this.#epoch !== undefined && this.#epoch !== epoch) {
      throw new RangeError(`Cannot align epoch ${epoch}: another producer is at the end of epoch ${this.#epoch}`)
    }
    this.#epoch = epoch
    this.#waiting.add(input)
    return this.#complete()
  }

  /** An input has ended: whatever waited only for it continues. */
  leave(input: I): { readonly time: number | undefined; readonly epoch: number | undefined } {
    this.#times.delete(input)
    this.#waiting.delete(input)
    if (this.#waiting.size === 0) this.#epoch = undefined
    return { time: this.#times.size > 0 ? this.#advance() : undefined, epoch: this.#complete() }
  }

  #advance(): number | undefined {
    const least = Math.min(...this.#times.values())
    if (least <= this.#time) return undefined
    this.#time = least
    return least
  }

  #complete(): number | undefined {
    if (this.#epoch === undefined || this.#waiting.size < this.#times.size || this.#waiting.size === 0) return undefined
    const epoch = this.#epoch
    this.#epoch = undefined
    this.#waiting.clear()
    return epoch
  }
}
