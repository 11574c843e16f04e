// Parses one line of an access log: a scanner that looks at every character once.

import { Rejection } from '../../format.ts'
import { endOfQuoted } from '../../kits/text/quoted.ts'
import { refuse } from '../../kits/text/refuse.ts'
import type { Origin } from '../../origin.ts'
import { endOfMethod, endOfPath, isTarget, startOfProtocol } from './request-line.ts'
import { AccessTimes, faultOfTime, TIME_LENGTH } from './time.ts'

/** One request, as logged by a web server. `-` stays `-`, except for `bytes`. */
export interface AccessRequest {
  readonly file: string
  readonly line: number
  /** Byte offset of the line: with `file` it distinguishes equal lines. */
  readonly offset: number
  readonly host: string
  readonly ident: string
  readonly user: string
  /** Epoch milliseconds, UTC. */
  readonly time: number
  /** The request line as written: backslash escapes stay. */
  readonly request: string
  /** Null unless the request is `METHOD target PROTOCOL` or `METHOD /target`. */
  readonly method: string | null
  /** The target up to its first `?`, as written. */
  readonly path: string | null
  readonly protocol: string | null
  readonly status: number
  /** Null if the log has `-`. */
  readonly bytes: number | null
  /** Null in the common format. */
  readonly referer: string | null
  /** Null in the common format. */
  readonly agent: string | null
  /** Contents of the quoted fields after the agent, as written; null without any. */
  readonly extra: readonly string[] | null
}

/** What may follow the bytes: referer and agent, nothing, or either. */
export type AccessForm = 'combined' | 'common' | 'any'

const TAB = 0x09
const CR = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const DASH = 0x2d
const ZERO = 0x30
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/**
 * Reads the lines of one file.
 *
 * The grammar: `host ident user [time] "request" status bytes "referer" "agent"`, separated by one space, then any
 * number of further quoted fields and trailing spaces. Words end at ASCII white space; within quotes a backslash
 * escapes the character after it.
 */
export class AccessLineReader {
  readonly #form: AccessForm
  readonly #times = new AccessTimes()

  constructor(form: AccessForm) {
    this.#form = form
  }

  read(text: string, origin: Origin): AccessRequest | Rejection {
    if (text.charCodeAt(0) === 0) return refuse(text, 0, 'host begins with a NUL byte')
    const hostTo = endOfWord(text, 0)
    if (!isWord(text, 0, hostTo)) return refuseWord(text, 0, hostTo, 'host')
    const identTo = endOfWord(text, hostTo + 1)
    if (!isWord(text, hostTo + 1, identTo)) return refuseWord(text, hostTo + 1, identTo, 'ident')
    const userTo = endOfWord(text, identTo + 1)
    if (!isWord(text, identTo + 1, userTo)) return refuseWord(text, identTo + 1, userTo, 'user')

    const timeAt = userTo + 2
    if (text.charCodeAt(userTo + 1) !== OPEN_BRACKET) return refuse(text, userTo + 1, 'no [ before the time')
    const time = this.#times.read(text, timeAt)
    if (Number.isNaN(time)) return refuseTime(text, timeAt)
    const timeTo = timeAt + TIME_LENGTH
    if (text.charCodeAt(timeTo) !== CLOSE_BRACKET) return refuse(text, timeTo, 'no ] after the time')

    const requestAt = timeTo + 3
    if (!isQuoteAt(text, timeTo + 1)) return refuseQuote(text, timeTo + 1, 'request')
    const requestTo = endOfQuoted(text, requestAt)
    if (requestTo === -1) return refuseOpen(text, requestAt, 'request')

    const status = readStatus(text, requestTo + 1)
    if (status === -1) return refuseStatus(text, requestTo + 1)
    const bytesAt = requestTo + 6
    const bytesTo = endOfWord(text, bytesAt)
    const bytes = readBytes(text, bytesAt, bytesTo)
    if (bytes === undefined) return refuse(text, bytesAt, 'bytes are neither a number nor -')
    if (bytes !== null && bytes > Number.MAX_SAFE_INTEGER) return refuse(text, bytesAt, 'bytes are over 2^53 - 1')

    const rest = readRest(text, bytesTo, this.#form)
    if (rest instanceof Rejection) return rest
    const methodTo = endOfMethod(text, requestAt, requestTo)
    const protocolAt = startOfProtocol(text, methodTo + 1, requestTo)
    const isFormed = methodTo > requestAt && isTarget(text, methodTo + 1, protocolAt, requestTo)
    return {
      file: origin.source,
      line: origin.line,
      offset: origin.offset,
      host: text.slice(0, hostTo),
      ident: text.slice(hostTo + 1, identTo),
      user: text.slice(identTo + 1, userTo),
      time,
      request: text.slice(requestAt, requestTo),
      method: isFormed ? text.slice(requestAt, methodTo) : null,
      path: isFormed ? text.slice(methodTo + 1, endOfPath(text, methodTo + 1, protocolAt, requestTo)) : null,
      protocol: isFormed && protocolAt < requestTo ? text.slice(protocolAt, requestTo) : null,
      status,
      bytes,
      referer: rest.referer,
      agent: rest.agent,
      extra: rest.extra,
    }
  }
}

/** What follows the bytes. */
type Rest = Pick<AccessRequest, 'referer' | 'agent' | 'extra'>

const NO_REST: Rest = { referer: null, agent: null, extra: null }

function readRest(text: string, at: number, form: AccessForm): Rest | Rejection {
  if (!isQuoteAt(text, at)) {
    const end = endOfSpaces(text, at)
    if (end < text.length) return refuse(text, end, 'no " before the referer')
    return form === 'combined' ? new Rejection('no referer and agent: the file is in the combined format') : NO_REST
  }
  if (form === 'common') return refuse(text, at + 1, 'more than the common format has')
  const refererTo = endOfQuoted(text, at + 2)
  if (refererTo === -1) return refuseOpen(text, at + 2, 'referer')
  if (!isQuoteAt(text, refererTo + 1)) return refuseQuote(text, refererTo + 1, 'agent')
  const agentTo = endOfQuoted(text, refererTo + 3)
  if (agentTo === -1) return refuseOpen(text, refererTo + 3, 'agent')
  const extra = agentTo + 1 === text.length ? null : readExtra(text, agentTo + 1)
  if (extra instanceof Rejection) return extra
  return { referer: text.slice(at + 2, refererTo), agent: text.slice(refererTo + 3, agentTo), extra }
}

function readExtra(text: string, from: number): string[] | null | Rejection {
  const fields: string[] = []
  let at = from
  while (isQuoteAt(text, at)) {
    const to = endOfQuoted(text, at + 2)
    if (to === -1) return refuseOpen(text, at + 2, 'field after the agent')
    fields.push(text.slice(at + 2, to))
    at = to + 1
  }
  const end = endOfSpaces(text, at)
  if (end < text.length) return refuse(text, end, 'neither a quoted field nor the end after the agent')
  return fields.length === 0 ? null : fields
}

/** The status after the space at `at`, followed by a space; -1 if absent. */
export function readStatus(text: string, at: number): number {
  const a = text.charCodeAt(at + 1) - ZERO
  const b = text.charCodeAt(at + 2) - ZERO
  const c = text.charCodeAt(at + 3) - ZERO
  if (!(a >= 0 && a <= 9 && b >= 0 && b <= 9 && c >= 0 && c <= 9)) return -1
  return text.charCodeAt(at) === SPACE && text.charCodeAt(at + 4) === SPACE ? a * 100 + b * 10 + c : -1
}

/** The number in a word, null for `-`, undefined for anything else. Inexact over 2^53. */
export function readBytes(text: string, from: number, to: number): number | null | undefined {
  if (to === from) return undefined
  if (to === from + 1 && text.charCodeAt(from) === DASH) return null
  let value = 0
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - ZERO
    if (!(digit >= 0 && digit <= 9)) return undefined
    value = value * 10 + digit
  }
  return value
}

/** Where the word that begins at `from` ends: at ASCII white space or the line's end. */
export function endOfWord(text: string, from: number): number {
  let at = from
  while (at < text.length && !isWhiteSpace(text.charCodeAt(at))) at += 1
  return at
}

function endOfSpaces(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) === SPACE) at += 1
  return at
}

function isWhiteSpace(code: number): boolean {
  return code === SPACE || (code >= TAB && code <= CR)
}

/** Whether a word is not empty and followed by one space. */
export function isWord(text: string, from: number, to: number): boolean {
  return to > from && text.charCodeAt(to) === SPACE
}

/** Whether there are a space and a quote at `at`. */
export function isQuoteAt(text: string, at: number): boolean {
  return text.charCodeAt(at) === SPACE && text.charCodeAt(at + 1) === QUOTE
}

function refuseWord(text: string, from: number, to: number, field: string): Rejection {
  return to === from ? refuse(text, from, `no ${field}`) : refuse(text, to, `no space after the ${field}`)
}

function refuseQuote(text: string, at: number, field: string): Rejection {
  const isSpace = text.charCodeAt(at) === SPACE
  return isSpace ? refuse(text, at + 1, `no " before the ${field}`) : refuse(text, at, `no space before the ${field}`)
}

function refuseOpen(text: string, at: number, field: string): Rejection {
  return refuse(text, text.length, `no closing " of the ${field} that begins at column ${at + 1}`)
}

function refuseStatus(text: string, at: number): Rejection {
  if (text.charCodeAt(at) !== SPACE) return refuse(text, at, 'no space after the request')
  return refuse(text, at + 1, 'status is not three digits')
}

function refuseTime(text: string, timeAt: number): Rejection {
  const { what, at } = faultOfTime(text, timeAt)
  return refuse(text, at, what)
}
