// Finds the array in a JSON text whose elements are to be read.

import {
  BACKSLASH,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  isBlank,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from '../../kits/json/bytes.ts'
import { Nesting } from './nesting.ts'

type State =
  /** Before the value that the path has reached. */
  | 'value'
  /** In an object on the path, before a key. */
  | 'before-key'
  | 'key'
  | 'colon'
  /** In a value off the path. */
  | 'skip'
  /** After a value off the path. */
  | 'behind'
  | 'found'

/** The longest key compared, in bytes as written; a longer one cannot be in a path. */
const MAX_KEY_BYTES = 8192

/** Walks along a path of keys to an array, over bytes that come in blocks. */
export class ArraySeek {
  readonly #path: readonly string[]
  /** How many keys of the path were found. */
  #depth = 0
  #state: State = 'value'
  #key: number[] = []
  #isEscaped = false
  #nesting = new Nesting(CLOSE_OBJECT)
  /** Whether a byte order mark may still come. */
  #isStart = true
  /** Why there is no array. */
  fault: string | undefined

  constructor(path: readonly string[]) {
    this.#path = path
  }

  get hasFound(): boolean {
    return this.#state === 'found'
  }

  /** What is missing if the text ends now. */
  get missing(): string {
    return this.#path.length === 0 ? 'there is no array' : `there is no array at ${this.#place(this.#path.length)}`
  }

  /** The index after the array's bracket, or of the error; `bytes.length` if neither is in these bytes. */
  find(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length) {
      if (this.#state === 'skip') {
        const end = this.#nesting.find(bytes, at)
        if (end === -1) return bytes.length
        this.#state = 'behind'
        at = end
        continue
      }
      const byte = bytes[at] as number
      if (!this.#take(byte)) return at
      at += 1
      if (this.#state === 'found') return at
    }
    return at
  }

  /** False for a byte that is not allowed here. */
  #take(byte: number): boolean {
    if (this.#state === 'key') return this.#takeKey(byte)
    if (this.#isStart && (byte === 0xef || byte === 0xbb || byte === 0xbf)) return true
    this.#isStart = false
    if (isBlank(byte)) return true
    switch (this.#state) {
      case 'value':
        return this.#enter(byte)
      case 'before-key':
        if (byte === COMMA) return true
        if (byte === CLOSE_OBJECT) return this.#refuse(`there is no ${this.#place(this.#depth + 1)}`)
        if (byte !== QUOTE) return this.#refuse('it is not valid JSON')
        this.#key = []
        this.#state = 'key'
        return true
      case 'colon':
        if (byte !== COLON) return this.#refuse('it is not valid JSON')
        this.#choose()
        return true
      case 'behind':
        if (byte === CLOSE_OBJECT) return this.#refuse(`there is no ${this.#place(this.#depth + 1)}`)
        if (byte !== COMMA) return this.#refuse('it is not valid JSON')
        this.#state = 'before-key'
        return true
      default:
        return false
    }
  }

  #enter(byte: number): boolean {
    const isLast = this.#depth === this.#path.length
    if (byte === OPEN_ARRAY && isLast) this.#state = 'found'
    else if (byte === OPEN_OBJECT && !isLast) this.#state = 'before-key'
    else {
      const found = byte === OPEN_OBJECT ? 'an object' : byte === OPEN_ARRAY ? 'an array' : 'another value'
      const hint = byte === OPEN_OBJECT && isLast ? ': name the array within it with path' : ''
      return this.#refuse(`${this.#place(this.#depth)} is ${found}, not ${isLast ? 'an array' : 'an object'}${hint}`)
    }
    return true
  }

  #takeKey(byte: number): boolean {
    if (byte === QUOTE && !this.#isEscaped) {
      this.#state = 'colon'
      return true
    }
    this.#isEscaped = byte === BACKSLASH && !this.#isEscaped
    if (this.#key.length <= MAX_KEY_BYTES) this.#key.push(byte)
    return true
  }

  #choose(): void {
    if (this.#keyText() === this.#path[this.#depth]) {
      this.#depth += 1
      this.#state = 'value'
    } else {
      this.#nesting = new Nesting(CLOSE_OBJECT)
      this.#state = 'skip'
    }
  }

  #keyText(): string | undefined {
    if (this.#key.length > MAX_KEY_BYTES) return undefined
    try {
      return JSON.parse(`"${Buffer.from(this.#key).toString('utf8')}"`)
    } catch {
      // A key that is not valid JSON is not on the path; whether the whole is JSON is not checked here.
      return undefined
    }
  }

  #refuse(fault: string): false {
    this.fault = fault
    return false
  }

  #place(depth: number): string {
    return depth === 0 ? 'the value' : JSON.stringify(this.#path.slice(0, depth).join('.'))
  }
}
