// One line of a log in a known format: each field ends where the text that follows it in the format begins.

import type { Rejection } from '../../format.ts'
import { isEscapedAt } from '../../kits/text/quoted.ts'
import { refuse } from '../../kits/text/refuse.ts'
import { epochReader } from '../../kits/time/epoch.ts'
import type { ReadTime } from '../../kits/time/form.ts'
import { readIso } from '../../kits/time/iso.ts'
import type { TimeRules } from '../../kits/time/rules.ts'
import type { Origin } from '../../origin.ts'
import type { AccessRequest } from './line.ts'
import type { AccessFormat, FieldKind, Part } from './log-format.ts'
import { partsOfRequest } from './request-line.ts'
import { AccessTimes, faultOfTime, TIME_LENGTH } from './time.ts'

/** A request in a custom format: missing fields are null, additional ones have their names. */
export type FormattedRequest = { readonly [Key in keyof AccessRequest]: AccessRequest[Key] | null } & Readonly<
  Record<string, unknown>
>

type Row = Record<string, unknown>

const TAB = 0x09
const SPACE = 0x20
const QUOTE = 0x22

/** Reads the lines of one file. */
export class AccessFormatReader {
  readonly #parts: readonly Part[]
  readonly #isEscaped: boolean
  readonly #rules: TimeRules
  readonly #times = new AccessTimes()
  readonly #counts: Readonly<Record<'s' | 'ms' | 'us', ReadTime>>
  readonly #empty: Row

  /**
   * @param empty - all fields of a request, null
   */
  constructor({ parts, isEscaped }: AccessFormat, rules: TimeRules, empty: Row) {
    this.#parts = parts
    this.#isEscaped = isEscaped
    this.#rules = rules
    this.#counts = { s: epochReader('s', rules), ms: epochReader('ms', rules), us: epochReader('us', rules) }
    this.#empty = empty
  }

  read(line: string, origin: Origin): FormattedRequest | Rejection {
    let end = line.length
    while (end > 0 && (line.charCodeAt(end - 1) === SPACE || line.charCodeAt(end - 1) === TAB)) end -= 1
    const text = line.slice(0, end)
    const row: Row = { ...this.#empty, file: origin.source, line: origin.line, offset: origin.offset }
    let at = 0
    for (const [place, part] of this.#parts.entries()) {
      if (part.kind === 'literal') {
        const literal = place === this.#parts.length - 1 ? part.text.trimEnd() : part.text
        if (!text.startsWith(literal, at)) return refuse(text, at, `no ${JSON.stringify(part.text)} here`)
        at += literal.length
        continue
      }
      const to = this.#endOf(text, at, place)
      if (to === -1) return refuse(text, at, `no end of ${part.name}`)
      const fault = this.#set(row, part.name, part.as, text, at, to)
      if (fault !== undefined) return fault
      at = to
    }
    return at === text.length ? (row as FormattedRequest) : refuse(text, at, 'more than the format has')
  }

  /** Where the field that begins at `from` ends, at this place of the format; -1 if it does not. */
  #endOf(text: string, from: number, place: number): number {
    const part = this.#parts[place]
    const next = this.#parts[place + 1]
    const isQuoted = text.charCodeAt(from - 1) === QUOTE
    if (next?.kind !== 'literal') {
      let space = isQuoted ? -1 : text.indexOf(' ', from)
      // A list may contain a space; in other fields it would be more than the format has.
      while (space !== -1 && part?.kind === 'field' && part.as === 'list' && isInList(text, space))
        space = text.indexOf(' ', space + 1)
      return space === -1 ? text.length : -1
    }
    const literal = next.text
    if (place + 2 === this.#parts.length) {
      const to = text.length - literal.trimEnd().length
      return to >= from && text.endsWith(literal.trimEnd()) ? to : -1
    }
    let to = text.indexOf(literal, from)
    for (; to !== -1; to = text.indexOf(literal, to + 1)) {
      if (isQuoted && this.#isEscaped && literal.startsWith('"') && isEscapedAt(text, from, to)) continue
      if (part?.kind === 'field' && part.as === 'list' && literal.startsWith(' ') && isInList(text, to)) continue
      return to
    }
    return -1
  }

  #set(row: Row, name: string, as: FieldKind, text: string, from: number, to: number): Rejection | undefined {
    const value = text.slice(from, to)
    const misfit = (what: string): Rejection => refuse(text, from, `${name} is not ${what}`)
    switch (as) {
      case 'text':
      case 'list':
      case 'word':
        row[name] = value
        return undefined
      case 'request':
        row.request = value
        Object.assign(row, partsOfRequest(value))
        return undefined
      case 'status':
        if (!/^[0-9]{3}$/.test(value)) return misfit('three digits')
        row[name] = Number(value)
        return undefined
      case 'integer':
      case 'bytes':
      case 'real': {
        if (value === '-' || value === '') return undefined
        const isNumber = as === 'real' ? /^[0-9]+(?:\.[0-9]+)?$/.test(value) : /^[0-9]{1,16}$/.test(value)
        const number = Number(value)
        if (!isNumber || number > Number.MAX_SAFE_INTEGER)
          return misfit(as === 'real' ? 'a number' : 'an integer up to 2^53')
        row[name] = number
        return undefined
      }
      default:
        return this.#setTime(row, as, text, from, to)
    }
  }

  #setTime(
    row: Row,
    as: 'log-time' | 'iso' | 's' | 'ms' | 'us',
    text: string,
    from: number,
    to: number,
  ): Rejection | undefined {
    if (as === 'log-time') {
      const time = to - from === TIME_LENGTH ? this.#times.read(text, from) : Number.NaN
      if (Number.isNaN(time)) {
        const { what, at } = faultOfTime(text, from)
        return refuse(text, at, what)
      }
      row.time = time
      return undefined
    }
    const value = text.slice(from, to)
    const time = as === 'iso' ? readIso(value, this.#rules) : this.#counts[as](value)
    if (typeof time === 'string') return refuse(text, from, `time: ${time}`)
    row.time = time
    return undefined
  }
}

/** Whether a space is inside a list: after a comma, or around a colon. */
function isInList(text: string, at: number): boolean {
  return text[at - 1] === ',' || text.startsWith(' : ', at) || text.startsWith(' : ', at - 2)
}
