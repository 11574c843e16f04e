// How many dead letters a run bears.

import { checkInteger, checkKeys } from '../base/check.ts'
import { SluiceError } from '../base/errors.ts'
import { type DeadLetter, placeOf } from '../connect/origin.ts'

/** A count, or a share of the records read (0 to 1). */
export type MaxDeadLetters = { readonly count: number } | { readonly share: number }

/** A share says nothing about fewer records than these, until the end. */
const SHARE_COUNTS_FROM = 1000
/** How many rejected records the error names. */
const NAMED = 3

/** Counts dead letters, keeps the first few, and says when there are too many. */
export class DeadLetterLimit {
  readonly #limit: MaxDeadLetters | undefined
  readonly first: DeadLetter[] = []
  count = 0
  #committed = 0

  constructor(limit: MaxDeadLetters | undefined) {
    if (limit !== undefined) checkKeys('maxDeadLetters', limit, 'count' in limit ? ['count'] : ['share'])
    if (limit !== undefined && 'count' in limit) checkInteger('maxDeadLetters.count', limit.count, 0)
    if (limit !== undefined && 'share' in limit && !(limit.share >= 0 && limit.share <= 1)) {
      throw new RangeError(`maxDeadLetters.share must be from 0 to 1: found ${limit.share}`)
    }
    this.#limit = limit
  }

  add(letters: readonly DeadLetter[]): void {
    this.count += letters.length
    for (const letter of letters) if (this.first.length < NAMED) this.first.push(letter)
  }

  /** What was added is committed. */
  committed(): void {
    this.#committed = this.count
  }

  /** A run continues from its last commit: what was added since comes again. */
  goOn(): void {
    this.count = this.#committed
    this.first.length = Math.min(this.first.length, this.count)
  }

  /**
   * Whether there are too many among `read` records. A share is judged late, or at the end.
   *
   * @param held - those that were not added yet
   */
  isOver(read: number, isEnd: boolean, held = 0): boolean {
    const limit = this.#limit
    const rejected = this.count + held
    if (limit === undefined || rejected === 0) return false
    if ('count' in limit) return rejected > limit.count
    return (isEnd || read >= SHARE_COUNTS_FROM) && rejected > limit.share * read
  }

  error(read: number, deadLetters: string): SluiceError {
    const limit = this.#describe()
    const named = this.first.map(({ origin, reason }) => `${placeOf(origin)}: ${reason}`).join('; ')
    const message = `Too many rejected records: ${this.count} of ${read} read, the limit is ${limit}; the first: ${named}; all are in ${deadLetters}`
    return new SluiceError('TOO_MANY_DEAD_LETTERS', message, { rejected: this.count, read, limit })
  }

  #describe(): string {
    const limit = this.#limit
    if (limit === undefined) return 'none'
    return 'count' in limit ? `${limit.count}` : `${limit.share * 100} %`
  }
}
