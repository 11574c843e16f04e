// Where the elements of a JSON array begin and end.

import type { RecordEnds } from '../../kits/files/records/record-cutter.ts'
import { CLOSE_ARRAY, COMMA, isBlank } from '../../kits/json/bytes.ts'
import { Nesting } from './nesting.ts'
import { ArraySeek } from './seek.ts'

type State =
  /** Before the array. */
  | 'seek'
  /** Before an element: the first one, or one after a comma. */
  | 'first'
  | 'next'
  /** After an element. */
  | 'between'
  | 'closed'

/**
 * Finds the elements of one array, each parsed by itself: an error in one does not affect the others. There is always
 * an element between two commas, even an empty one. Only brackets and strings are tracked, so that memory does not grow
 * with what is in the array, or before it.
 */
export class ElementEnds implements RecordEnds {
  readonly lineEnd = 0x0a
  readonly noun = 'element'
  readonly spansLines = true
  readonly #seek: ArraySeek
  /** Whether the array is the whole text, and nothing may follow it. */
  readonly #isWhole: boolean
  #nesting = new Nesting(CLOSE_ARRAY)
  #state: State
  /** The syntax error found. */
  broken: string | undefined

  /**
   * @param isResumed - whether the first byte follows an element that was returned before
   */
  constructor(path: readonly string[], isResumed: boolean) {
    this.#seek = new ArraySeek(path)
    this.#isWhole = path.length === 0
    this.#state = isResumed ? 'between' : 'seek'
  }

  get isOver(): boolean {
    return this.#state === 'closed' && !this.#isWhole
  }

  begin(bytes: Buffer, from: number): number {
    let at = from
    if (this.#state === 'seek') {
      at = this.#seek.find(bytes, at)
      this.broken = this.#seek.fault
      if (!this.#seek.hasFound) return at
      this.#state = 'first'
    }
    for (; at < bytes.length && !this.isOver; at += 1) {
      const byte = bytes[at]
      if (isBlank(byte)) continue
      if (byte === CLOSE_ARRAY && (this.#state === 'first' || this.#state === 'between')) this.#state = 'closed'
      else if (byte === COMMA && this.#state === 'between') this.#state = 'next'
      else {
        if (this.#state === 'closed') this.broken = 'something follows the end of its array'
        else if (this.#state === 'between') this.broken = 'there is no comma after an element'
        return at
      }
    }
    return this.isOver ? bytes.length : at
  }

  find(bytes: Buffer, _from: number, at: number): number {
    const end = this.#nesting.find(bytes, at)
    if (end === -1) return -1
    this.#state = 'between'
    this.#nesting = new Nesting(CLOSE_ARRAY)
    return end
  }

  finish(): number {
    return -1
  }

  textEnd(bytes: Buffer, from: number, to: number): number {
    let end = to
    while (end > from && isBlank(bytes[end - 1])) end -= 1
    return end
  }

  isBlank(): boolean {
    return false
  }

  missing(): string | undefined {
    if (this.#state === 'closed') return undefined
    return this.#state === 'seek' ? this.#seek.missing : 'its array is not closed'
  }
}
