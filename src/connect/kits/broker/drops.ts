// What had to be dropped: counted, and reported now and then.

/** At least so many milliseconds between two notes. */
const BETWEEN_MS = 10_000

/**
 * Counts what is dropped, and reports it: at once, and then at most every ten seconds.
 *
 * @example
 * const told: string[] = []
 * const drops = new Drops('datagrams', (note) => told.push(note))
 * drops.add(0)
 * drops.add(5000)
 * drops.add(10_000)
 * told // => ['dropped 1 datagrams: too many are waiting', 'dropped 3 datagrams: too many are waiting']
 */
export class Drops {
  readonly #what: string
  readonly #tell: (note: string) => void
  #count = 0
  #toldOf = 0
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(what: string, tell: (note: string) => void) {
    this.#what = what
    this.#tell = tell
  }

  /** How many there were. */
  get count(): number {
    return this.#count
  }

  /** @param nowMs - clock milliseconds */
  add(nowMs: number): void {
    this.#count += 1
    if (nowMs - this.#toldMs < BETWEEN_MS) return
    this.#toldMs = nowMs
    this.tell()
  }

  /** Reports those not reported yet. */
  tell(): void {
    if (this.#count === this.#toldOf) return
    this.#toldOf = this.#count
    this.#tell(`dropped ${this.#count} ${this.#what}: too many are waiting`)
  }
}
