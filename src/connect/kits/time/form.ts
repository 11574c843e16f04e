// Time formats, as an option names them.

import { describeValue } from '../../../base/check.ts'
import { type EpochUnit, epochReader } from './epoch.ts'
import { readIso } from './iso.ts'
import { patternReader } from './pattern.ts'
import type { TimeRules } from './rules.ts'

/**
 * A time format: `iso` (a date, or ISO 8601, with a `T` or a space), `s`, `ms`, `us`, `ns` (seconds, milli-, micro- or
 * nanoseconds since 1970), or a pattern such as `dd/MM/yyyy HH:mm:ss`.
 */
export type TimeForm = 'iso' | EpochUnit | (string & {})

/** Epoch milliseconds of a text; a text that says what is wrong with an invalid one. */
export type ReadTime = (text: string) => number | string

/**
 * @throws {RangeError} for an invalid pattern
 */
export function timeReader(form: TimeForm, rules: TimeRules): ReadTime {
  if (typeof form !== 'string' || form === '')
    throw new TypeError(`time must be iso, s, ms, us, ns or a pattern: found ${describeValue(form)}`)
  switch (form) {
    case 'iso':
      return (text) => readIso(text, rules)
    case 's':
    case 'ms':
    case 'us':
    case 'ns':
      return epochReader(form as EpochUnit, rules)
    default:
      return patternReader(form, rules)
  }
}
