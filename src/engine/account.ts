// What became of events that did not go on, counted for one run.

/** An event that could not be used, told to whoever asked for it. */
export interface Refused {
  readonly operator: string
  readonly value: unknown
  readonly reason: string
}

export interface AccountOptions {
  readonly onDead?: ((refused: Refused) => void) | undefined
  readonly onLate?: ((operator: string, value: unknown) => void) | undefined
}

/** Counts the events that came too late, and those that were refused, by operator. */
export class Account {
  readonly #options: AccountOptions
  /** Operator → events. */
  readonly lateOf = new Map<string, number>()
  readonly deadOf = new Map<string, number>()
  /** The first event that was refused: for the warning about all of them. */
  first: Refused | undefined

  constructor(options: AccountOptions = {}) {
    this.#options = options
  }

  late(operator: string, value: unknown): void {
    this.lateOf.set(operator, (this.lateOf.get(operator) ?? 0) + 1)
    this.#options.onLate?.(operator, value)
  }

  dead(operator: string, value: unknown, reason: string): void {
    const refused = { operator, value, reason }
    this.first ??= refused
    this.deadOf.set(operator, (this.deadOf.get(operator) ?? 0) + 1)
    this.#options.onDead?.(refused)
  }
}
