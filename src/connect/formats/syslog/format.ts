// The format of syslog: one message in each line.

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
   * The year of times without one. By default the last one in which the time is not more than a day ahead of the moment
   * at which it is read: name it for logs that are older than that, or are read again.
   */
  readonly year?: number
}

/**
 * Reads messages of syslog, line by line: of RFC 5424, and of RFC 3164 as programs and daemons write it.
 *
 * - **RFC 5424** is known by its version behind the priority. Its structured data becomes an object of objects, escapes
 *   undone; a parameter that comes several times has all its values. A byte order mark before the text is taken off.
 * - **RFC 3164**: `TIME HOST APP[PROCID]: TEXT`, with or without a priority, as in files. The time may be a whole one, with
 *   year and zone, too. Host and program are null where they are not there. With a priority the time may be missing.
 * - **Times** become epoch milliseconds, UTC. Daemons write microseconds by default: these are cut off, or rejected with
 *   `subMilliseconds: 'reject'`. `-` in RFC 5424 is null.
 * - **Refuses** a priority over 191, what has neither priority nor time, what is meant for a time and cannot be read as one,
 *   and what announces RFC 5424 and does not keep to it, with a reason that says where.
 *
 * @throws {RangeError} for a time zone or a year that there is not
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

/** What times without year and zone are taken for. */
function legacyClock({ year, ...times }: SyslogOptions): LegacyClock {
  return { ...timeRules({ subMilliseconds: 'truncate', ...times }), year }
}
