// What a transformer received and has emitted nothing for yet: it emits later.

/** A transformer that gets nothing more, and emits nothing, is reported after this long. */
const WARN_AFTER_MS = 5000

/**
 * Counts the events that a hook received since it last emitted. A hook that returns nothing may emit later, or may have
 * dropped its events: that shows only once it emits within a call.
 */
export class InHand {
  readonly #name: string
  readonly #warnAfterMs: number
  events = 0
  /** Whether a hook has emitted within a call: if it then returns nothing, it has dropped its events. */
  #emitsAtOnce = false
  /** How often something was emitted: tells whether anything was since the warning was postponed. */
  #emissions = 0
  #isWatched = false

  constructor(name: string, warnAfterMs: number = WARN_AFTER_MS) {
    this.#name = name
    this.#warnAfterMs = warnAfterMs
  }

  /**
   * A hook received events and returned nothing.
   *
   * @param isStuck - whether the stage takes nothing more until it emits
   */
  handed(events: number, hasEmitted: boolean, isStuck: () => boolean): void {
    if (hasEmitted) this.#emitsAtOnce = true
    if (this.#emitsAtOnce) return
    this.events += events
    if (!this.#isWatched && isStuck()) this.#watch(isStuck)
  }

  emitted(): void {
    this.events = 0
    this.#emissions += 1
  }

  /** A stage that waits for itself would stop a run silently. */
  #watch(isStuck: () => boolean): void {
    this.#isWatched = true
    const before = this.#emissions
    setTimeout(() => {
      if (this.#emissions !== before) this.#isWatched = false
      else if (isStuck()) process.emitWarning(this.#warning)
    }, this.#warnAfterMs).unref()
  }

  get #warning(): string {
    const waited = `has emitted nothing for ${this.#warnAfterMs / 1000} s`
    return `Stage ${this.#name} received ${this.events} events, returned nothing from onEvents and ${waited}: it gets no more until it emits (return [] if nothing is to follow)`
  }
}
