// Why records were rejected: grouped by reason, each with its first place.

import { type DeadLetter, placeOf } from '../connect/origin.ts'
import { excerpt } from '../observe/escape.ts'

/** Records rejected for one reason. */
export interface Rejected {
  readonly step: string
  readonly reason: string
  readonly count: number
  /** Where the first of them is: `orders.csv:17`. */
  readonly place: string
  /** What was found there, if the reason says so. */
  readonly found: string | undefined
}

/** The most reasons that are told apart. */
const MOST_REASONS = 100
/** The most characters of a text that is kept. */
const LONGEST = 200

/** Counts rejected records by reason, in bounded memory. */
export class Rejections {
  readonly #groups = new Map<string, { -readonly [K in keyof Rejected]: Rejected[K] }>()
  /** How many records were rejected, for any reason. */
  count = 0

  add({ origin, step, reason }: DeadLetter): void {
    this.count += 1
    const [, general = reason, found] = /^(.*?)(?:: found |, found )(.*)$/s.exec(reason) ?? []
    // Positions and counts differ from record to record.
    const key = `${step}\n${general.replace(/\d+/g, 'N').slice(0, LONGEST)}`
    const group = this.#groups.get(key)
    if (group !== undefined) group.count += 1
    else if (this.#groups.size < MOST_REASONS) {
      const shown = { reason: excerpt(general, LONGEST), found: found && excerpt(found, LONGEST) }
      this.#groups.set(key, { step, count: 1, place: placeOf(origin), ...shown })
    }
  }

  /** The commonest reasons first. */
  get groups(): readonly Rejected[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count)
  }
}
