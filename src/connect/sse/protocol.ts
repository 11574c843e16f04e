// Parses events from a stream of `text/event-stream`: fields in lines, an empty line after each event.

import { rawOf, textOf } from '../kits/broker/text.ts'
import { malformedFault } from '../kits/files/records/raw.ts'

/** The metadata of an event. */
export interface SseMeta {
  /** `message` if the server names none. */
  readonly type: string
  /** The last id that the server set, with this event or before it; empty if there was none. */
  readonly id: string
}

/** An event, or the beginning of one that is too long. */
export interface ServerEvent extends SseMeta {
  readonly bytes: Uint8Array
  /** Why it is rejected. */
  readonly fault?: string
}

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a
const BOM = [0xef, 0xbb, 0xbf]
/** How much is kept of an event that is too long. */
const KEPT_BYTES = 1024
/** The longest id, in bytes: it is stored in checkpoints, and sent in a header. */
const ID_BYTES = 1000
/** Most blocks of one line that are kept before they are joined. */
const MOST_PARTS = 64
const NEW_LINE = Buffer.from('\n')
const NOTHING = Buffer.alloc(0)

/**
 * Parses the events of one connection. An incomplete event at a broken connection is dropped.
 *
 * @example
 * const events = new ServerEvents({ maxBytes: 1000, lastId: '' })
 * events.push(Buffer.from('id: 7\ndata: a\ndata: b\n\n: still here\nretry: 500\n'))
 * const event = events.next()
 * [event?.id, event?.type, String(event?.bytes)] // => ['7', 'message', 'a\nb']
 * events.next() // => undefined
 * events.retryMs // => 500
 */
export class ServerEvents {
  readonly #maxBytes: number
  #block: Uint8Array = NOTHING
  #at = 0
  /** Where the next LF and CR of the block are; its length if absent. Each is searched for once. */
  #lfAt = 0
  #crAt = 0
  /** Whether an LF that comes next belongs to the previous line. */
  #isAfterCr = false
  #isFirst = true
  /** The beginning of a line, and its length including what was not kept. */
  #parts: Uint8Array[] = []
  #keptBytes = 0
  #lineBytes = 0
  #data: Uint8Array[] = []
  /** Of the data, including what was not kept; undefined without data. */
  #dataBytes: number | undefined
  #type = ''
  #id: string
  #lastId: string
  #retryMs: number | undefined

  constructor({ maxBytes, lastId }: { readonly maxBytes: number; readonly lastId: string }) {
    this.#maxBytes = maxBytes
    this.#id = lastId
    this.#lastId = lastId
  }

  /** The last event id. */
  get lastId(): string {
    return this.#lastId
  }

  /** The server's reconnection time; undefined if it has not set one. */
  get retryMs(): number | undefined {
    return this.#retryMs
  }

  /** Takes the next block, after `next` returned undefined for the previous one. */
  push(block: Uint8Array): void {
    this.#block = block
    this.#at = 0
    this.#lfAt = indexOf(block, LF, 0)
    this.#crAt = indexOf(block, CR, 0)
  }

  /**
   * The next event; undefined if the block holds no more complete ones.
   *
   * @throws {RangeError} for an id that is too long to store, or not UTF-8
   */
  next(): ServerEvent | undefined {
    for (;;) {
      const line = this.#line()
      if (line === undefined) return undefined
      const event = line.length === 0 ? this.#dispatch() : this.#field(line)
      if (event !== undefined) return event
    }
  }

  /** The next line, without its end; undefined if the block holds no more complete ones. */
  #line(): Uint8Array | undefined {
    const block = this.#block
    if (this.#isAfterCr && this.#at < block.length) {
      this.#isAfterCr = false
      if (block[this.#at] === LF) this.#at += 1
    }
    if (this.#at >= block.length) return undefined
    if (this.#lfAt < this.#at) this.#lfAt = indexOf(block, LF, this.#at)
    if (this.#crAt < this.#at) this.#crAt = indexOf(block, CR, this.#at)
    const to = Math.min(this.#lfAt, this.#crAt)
    this.#keep(block.subarray(this.#at, to))
    this.#at = to + 1
    if (to === block.length) return undefined
    this.#isAfterCr = to === this.#crAt
    return this.#taken()
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return
    this.#lineBytes += part.length
    const kept = part.subarray(0, Math.max(0, this.#maxBytes + KEPT_BYTES - this.#keptBytes))
    if (kept.length === 0) return
    this.#parts.push(kept)
    this.#keptBytes += kept.length
    // Data that comes byte by byte would take hundreds of times its size.
    if (this.#parts.length >= MOST_PARTS) this.#parts = [Buffer.concat(this.#parts)]
  }

  #taken(): Uint8Array {
    const line = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : Buffer.concat(this.#parts)
    this.#parts = []
    this.#keptBytes = 0
    if (!this.#isFirst) return line
    this.#isFirst = false
    if (!BOM.every((byte, at) => line[at] === byte)) return line
    this.#lineBytes -= BOM.length
    return line.subarray(BOM.length)
  }

  #field(line: Uint8Array): undefined {
    const missing = this.#lineBytes - line.length
    this.#lineBytes = 0
    const colonAt = line.indexOf(COLON)
    // A comment shows that the connection is alive, and nothing else.
    if (colonAt === 0) return
    const name = Buffer.from(line.subarray(0, colonAt === -1 ? Math.min(line.length, 10) : colonAt)).toString('latin1')
    const from = colonAt === -1 ? line.length : colonAt + (line[colonAt + 1] === SPACE ? 2 : 1)
    const value = line.subarray(from)
    if (name === 'data') this.#addData(value, missing)
    else if (name === 'event') this.#type = rawOf(value.subarray(0, ID_BYTES))
    else if (name === 'id') this.#setId(value, missing)
    else if (name === 'retry') {
      const digits = Buffer.from(value.subarray(0, 16)).toString('latin1')
      if (/^[0-9]{1,15}$/.test(digits)) this.#retryMs = Number(digits)
    }
  }

  #addData(value: Uint8Array, missing: number): void {
    const isFirst = this.#dataBytes === undefined
    this.#dataBytes = (this.#dataBytes ?? 0) + value.length + missing + (isFirst ? 0 : 1)
    if (this.#dataBytes > this.#maxBytes) {
      this.#data = [Buffer.concat([...this.#data, ...(isFirst ? [] : [NEW_LINE]), value]).subarray(0, KEPT_BYTES)]
      return
    }
    if (!isFirst) this.#data.push(NEW_LINE)
    this.#data.push(value)
    if (this.#data.length >= MOST_PARTS) this.#data = [Buffer.concat(this.#data)]
  }

  #setId(value: Uint8Array, missing: number): void {
    const size = value.length + missing
    if (size > ID_BYTES) throw new RangeError(`an event has an id of ${size} bytes: at most ${ID_BYTES} can be stored`)
    if (value.includes(0)) return
    const id = textOf(value)
    // The server would be asked to continue after another one.
    if (id === undefined) throw new RangeError(`an event has an id that is ${malformedFault(rawOf(value), 'UTF-8')}`)
    this.#id = id
  }

  #dispatch(): ServerEvent | undefined {
    this.#lastId = this.#id
    const [size, type, id] = [this.#dataBytes, this.#type, this.#id]
    // A copy: a slice would keep all of its block in memory while it waits.
    const bytes = Buffer.concat(this.#data)
    this.#data = []
    this.#dataBytes = undefined
    this.#type = ''
    if (size === undefined) return undefined
    const event = { bytes, type: type === '' ? 'message' : type, id }
    if (size <= this.#maxBytes) return event
    return { ...event, fault: `an event of ${size} bytes: at most ${this.#maxBytes} are accepted (maxBytes)` }
  }
}

/** The index of the next such byte; the block's length if absent. */
function indexOf(block: Uint8Array, byte: number, from: number): number {
  const at = block.indexOf(byte, from)
  return at === -1 ? block.length : at
}
