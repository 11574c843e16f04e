// The format of syslog: one message per line.

import { systemClock } from '../../../base/clock.ts'
import { type Checks, checkOptions, integer } from '../../../base/options.ts'
import type { LineFormat } from '../../format.ts'
import { TIME_OPTIONS, type TimeOptions, timeRules } from '../../kits/time/rules.ts'
import { SYSLOG_COLUMNS, type SyslogMessage } from './message.ts'
import { parseSyslog } from './parse.ts'
import type { LegacyClock } from './time.ts'

export type { SyslogData, SyslogMessage } from './message.ts'

export interface SyslogOptions extends TimeOptions {
  /**
   * The year of times without one. By default the latest year in which the time is at most a day ahead of the time of
   * reading: set it for logs that are older, or are read again.
   */
  readonly year?: number
}

/**
 * Parses syslog messages, line by line: RFC 5424, and RFC 3164 as programs and daemons write it.
 *
 * - **RFC 5424** is recognized by the version after the priority. Its structured data becomes an object of objects,
 *   unescaped; a parameter that occurs several times has an array of values. A byte order mark before the text is
 *   removed.
 * - **RFC 3164**: `TIME HOST APP[PROCID]: TEXT`, with or without a priority, as in files. The time may be a full one,
 *   with year and zone. Host and program are null if absent. With a priority the time may be missing.
 * - **Times** become epoch milliseconds, UTC. Daemons write microseconds by default: these are truncated, or rejected
 *   with `subMilliseconds: 'reject'`. `-` in RFC 5424 is null.
 * - **Rejects** a priority over 191, a line with neither priority nor time, what looks like a time and cannot be
 *   parsed, and a message that announces RFC 5424 and violates it, with a reason that says where.
 *
 * @throws {RangeError} for an invalid time zone or year
 * @example
 * const line = '<34>1 2003-10-11T22:14:15.003Z mail su 812 ID47 [app@1 user="ann"] su failed'
 * const origin = { source: 'a.log', line: 1, offset: 0, raw: line }
 * const message = syslog().open(() => [])(line, origin) as SyslogMessage
 * message.severity // => 2
 * message.structuredData // => { 'app@1': { user: 'ann' } }
 * const old = syslog({ year: 2003 }).open(() => [])('Oct 11 22:14:15 mail su[812]: su failed', origin) as SyslogMessage
 * [old.time, old.host, old.app, old.text] // => [1065910455000, 'mail', 'su', 'su failed']
 * @see https://www.rfc-editor.org/rfc/rfc5424 and https://www.rfc-editor.org/rfc/rfc3164
 */
export function syslog(options: SyslogOptions = {}): LineFormat<SyslogMessage> {
  checkOptions('syslog', options, SYSLOG_LINE_OPTIONS)
  const clock = legacyClock(options)
  return {
    name: 'syslog',
    columns: SYSLOG_COLUMNS,
    malformed: 'escape',
    open: () => (text) => parseSyslog(text, clock, systemClock.wallMs()),
  }
}

/** Their names. */
export const SYSLOG_LINE_OPTIONS: Checks<SyslogOptions> = { ...TIME_OPTIONS, year: integer(1, 9999) }

/** How times without year and zone are interpreted. */
function legacyClock({ year, ...times }: SyslogOptions): LegacyClock {
  return { ...timeRules({ subMilliseconds: 'truncate', ...times }), year }
}
