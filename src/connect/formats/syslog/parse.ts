// Parses one syslog message: RFC 5424, or RFC 3164 as written in practice.

import { Rejection } from '../../format.ts'
import { refuse } from '../../kits/text/refuse.ts'
import type { SyslogMessage } from './message.ts'
import { readStructuredData } from './structured-data.ts'
import { isTimeLike, type LegacyClock, readLegacyTime, readWholeTime, type Stamp } from './time.ts'

const PRIORITY = /^<([0-9]{1,3})>/
/** What follows the priority in RFC 5424: a version, and a time or `-`. */
const VERSION = /^1 (?:- |\S*[0-9])/
/** The word that identifies the program: `sshd[812]: `, `kernel: `. */
const TAG = /^([^\s[\]:]{1,128})(?:\[([^\s[\]]{0,128})\])?:(?: |$)|^([^\s[\]:]{1,128})\[([^\s[\]]{0,128})\](?: |$)/
const BOM = '\uFEFF'

type Priority = Pick<SyslogMessage, 'facility' | 'severity'>

/**
 * Parses a message, in linear time.
 *
 * @param nowMs - epoch milliseconds, for times without a year
 */
export function parseSyslog(text: string, clock: LegacyClock, nowMs: number): SyslogMessage | Rejection {
  const found = PRIORITY.exec(text.slice(0, 5))
  if (found === null) return readLegacy(text, 0, { facility: null, severity: null }, clock, nowMs)
  const number = Number(found[1])
  if (number > 191) return refuse(text, 1, 'priority is over 191')
  const priority = { facility: number >> 3, severity: number & 7 }
  const at = found[0].length
  if (VERSION.test(text.slice(at, at + 48))) return readWhole(text, at + 2, priority, clock)
  return readLegacy(text, at, priority, clock, nowMs)
}

/** `TIME HOST APP PROCID MSGID DATA TEXT`, each `-` if unknown. */
function readWhole(text: string, from: number, priority: Priority, clock: LegacyClock): SyslogMessage | Rejection {
  const words: (string | null)[] = []
  let at = from
  for (const name of ['time', 'host', 'app', 'procId', 'msgId']) {
    const to = text.indexOf(' ', at)
    if (to === -1) return refuse(text, text.length, `nothing after ${name}`)
    if (to === at) return refuse(text, at, `no ${name}`)
    words.push(to === at + 1 && text[at] === '-' ? null : text.slice(at, to))
    at = to + 1
  }
  const [word = null, host = null, app = null, procId = null, msgId = null] = words
  const time = word === null ? null : readWholeTime(word, clock)
  if (typeof time === 'string') return refuse(text, from, `time: ${time}`)
  const isNone = text[at] === '-'
  if (!isNone && text[at] !== '[') return refuse(text, at, 'structured data is neither - nor an element')
  const structured = isNone ? { data: null, to: at + 1 } : readStructuredData(text, at)
  if (structured instanceof Rejection) return structured
  const { data: structuredData, to } = structured
  if (to < text.length && text[to] !== ' ') return refuse(text, to, 'no space after structured data')
  const body = text.slice(to + 1)
  return {
    ...priority,
    time,
    host,
    app,
    procId,
    msgId,
    structuredData,
    text: body.startsWith(BOM) ? body.slice(1) : body,
  }
}

/** `TIME HOST APP[PROCID]: TEXT`, of which all but the text may be missing after a priority. */
function readLegacy(
  text: string,
  at: number,
  priority: Priority,
  clock: LegacyClock,
  nowMs: number,
): SyslogMessage | Rejection {
  const stamp = stampAt(text, at, clock, nowMs)
  if (typeof stamp === 'string') return refuse(text, at, `time: ${stamp}`)
  const rest = { host: null, app: null, procId: null, msgId: null, structuredData: null }
  if (stamp === undefined) {
    if (priority.facility === null) return refuse(text, 0, 'neither a priority nor a time')
    return { ...priority, time: null, ...rest, ...tagged(text.slice(at)) }
  }
  // A local program does not name its machine: its own name comes first.
  const behind = text.slice(stamp.to)
  const own = tagged(behind)
  if (own.app !== null) return { ...priority, time: stamp.time, ...rest, ...own }
  const hostTo = behind.indexOf(' ')
  const host = hostTo === -1 ? behind : behind.slice(0, hostTo)
  if (host === '') return { ...priority, time: stamp.time, ...rest, ...own }
  const body = hostTo === -1 ? '' : behind.slice(hostTo + 1)
  return { ...priority, time: stamp.time, ...rest, ...tagged(body), host }
}

/**
 * The time at `at` and where what follows it begins; as in RFC 3164, or a full one, as many daemons write. Undefined if
 * there is no time, a text that says what is wrong if it cannot be parsed.
 */
function stampAt(text: string, at: number, clock: LegacyClock, nowMs: number): Stamp | string | undefined {
  const legacy = readLegacyTime(text, at, clock, nowMs)
  if (typeof legacy === 'object') {
    // Some devices write a colon between time and host.
    const to = text[legacy.to] === ':' ? legacy.to + 1 : legacy.to
    return { time: legacy.time, to: text[to] === ' ' ? to + 1 : to }
  }
  if (legacy !== undefined) return legacy
  const word = /^[0-9][^ ]{9,47}(?= |$)/.exec(text.slice(at, at + 49))?.[0] ?? ''
  const time = readWholeTime(word, clock)
  if (typeof time === 'number') return { time, to: at + word.length + 1 }
  return isTimeLike(text, at) ? time : undefined
}

/** Splits the program's name, and its process number, from a text. */
function tagged(text: string): Pick<SyslogMessage, 'app' | 'procId' | 'text'> {
  const found = TAG.exec(text.slice(0, 260))
  if (found === null) return { app: null, procId: null, text }
  const [tag, app = found[3] ?? '', procId = found[4] ?? ''] = found
  return { app, procId: procId === '' ? null : procId, text: text.slice(tag.length) }
}
