// Which of several columns are times, and how each is written.

import { describeValue } from '../../../base/check.ts'
import { type ReadTime, type TimeForm, timeReader } from './form.ts'
import type { TimeRules } from './rules.ts'

/** How times are written: all of them alike, or column by column. */
export type TimeForms = TimeForm | Readonly<Record<string, TimeForm>>

export interface ColumnTime {
  readonly read: ReadTime
  /** A time of this form, for people. */
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
 * How the times of a column are written; ISO 8601 where nothing is said of it.
 *
 * @throws {TypeError | RangeError} for a form that cannot be
 */
export function columnTimes(forms: TimeForms = 'iso', rules: TimeRules): (column: string) => ColumnTime {
  const made = (form: TimeForm): ColumnTime => ({ read: timeReader(form, rules), words: EXAMPLES[form] ?? form })
  if (typeof forms === 'string') {
    const all = made(forms)
    return () => all
  }
  if (typeof forms !== 'object' || forms === null || Array.isArray(forms))
    throw new TypeError(`time must be a form, or forms by column: found ${describeValue(forms)}`)
  const byName = new Map(Object.entries(forms).map(([name, form]) => [name, made(form)]))
  const others = made('iso')
  return (column) => byName.get(column) ?? others
}
