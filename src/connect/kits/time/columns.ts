// Which of several columns are times, and their formats.

import { describeValue } from '../../../base/check.ts'
import { type ReadTime, type TimeForm, timeReader } from './form.ts'
import type { TimeRules } from './rules.ts'

/** The format of times: one for all, or one per column. */
export type TimeForms = TimeForm | Readonly<Record<string, TimeForm>>

export interface ColumnTime {
  readonly read: ReadTime
  /** A time in this format, for people. */
  readonly words: string
}

const EXAMPLES: Readonly<Record<string, string>> = {
  iso: '2024-02-29T23:59:59.999Z',
  s: 'seconds since 1970',
  ms: 'milliseconds since 1970',
  us: 'microseconds since 1970',
  ns: 'nanoseconds since 1970',
}

/**
 * The format of a column's times; ISO 8601 by default.
 *
 * @throws {TypeError | RangeError} for an invalid format
 */
export function columnTimes(forms: TimeForms = 'iso', rules: TimeRules): (column: string) => ColumnTime {
  const made = (form: TimeForm): ColumnTime => ({ read: timeReader(form, rules), words: EXAMPLES[form] ?? form })
  if (typeof forms === 'string') {
    const all = made(forms)
    return () => all
  }
  if (typeof forms !== 'object' || forms === null || Array.isArray(forms))
    throw new TypeError(`time must be a format, or formats by column: found ${describeValue(forms)}`)
  const byName = new Map(Object.entries(forms).map(([name, form]) => [name, made(form)]))
  const others = made('iso')
  return (column) => byName.get(column) ?? others
}
