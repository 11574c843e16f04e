// The busy time of a stage: measured where its turns begin and end, never per event.

/** The busy time of the measured stages of this thread, in clock milliseconds; a thread does one thing at a time. */
let threadMs = 0

/**
 * The time of one stage: while it has the thread, and while it awaits the promise of a hook.
 *
 * Nested entries count once: work outside of a turn may begin inside of one.
 */
export class WorkTime {
  #ms = 0
  #depth = 0
  /** Since when it has the thread, as far as that is not counted yet. */
  #sliceMs = 0
  /** Since when it awaits the promise of a hook. */
  #waitingMs: number | undefined

  /** So far, including what is under way. */
  get ms(): number {
    const nowMs = performance.now()
    const slice = this.#depth > 0 ? nowMs - this.#sliceMs : 0
    return this.#ms + slice + (this.#waitingMs === undefined ? 0 : nowMs - this.#waitingMs)
  }

  /** It has the thread. */
  enter(): void {
    this.#depth += 1
    if (this.#depth > 1) return
    const nowMs = performance.now()
    this.#stopWaiting(nowMs)
    this.#sliceMs = nowMs
  }

  /** It releases the thread. @param isWaiting - whether a hook's promise is awaited: that is work, too */
  leave(isWaiting = false): void {
    this.#depth -= 1
    if (this.#depth > 0) return
    const nowMs = performance.now()
    this.#count(nowMs)
    if (isWaiting) this.#waitingMs ??= nowMs
  }

  /**
   * Counts what passes until `given` settles, less what stages of this thread do meanwhile: a finished read that has to
   * wait for its turn does not count.
   */
  async through<T>(given: PromiseLike<T>): Promise<T> {
    const beganMs = performance.now()
    if (this.#depth > 0) this.#count(beganMs)
    const others = threadMs
    try {
      return await given
    } finally {
      this.#ms += Math.max(0, performance.now() - beganMs - (threadMs - others))
    }
  }

  #count(nowMs: number): void {
    this.#ms += nowMs - this.#sliceMs
    threadMs += nowMs - this.#sliceMs
    this.#sliceMs = nowMs
  }

  #stopWaiting(nowMs: number): void {
    if (this.#waitingMs !== undefined) this.#ms += nowMs - this.#waitingMs
    this.#waitingMs = undefined
  }
}
