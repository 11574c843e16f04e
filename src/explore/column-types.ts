// The types of columns that are written as text, by their values.

import type { ColumnType } from '../connect/column.ts'
import { Rejection } from '../connect/format.ts'
import { converterOf, MISFIT, type ValueRules } from '../connect/formats/csv/convert.ts'
import { numberMarks } from '../connect/formats/csv/numbers.ts'
import { timeReader } from '../connect/kits/time/form.ts'
import { timeRules } from '../connect/kits/time/rules.ts'

/** How the numbers of a file are written. */
export interface NumberForm {
  readonly decimal?: ','
  readonly thousands?: string
}

/** A column's type, and how its values are written. */
export interface TextType {
  readonly type: ColumnType
  /** The pattern of its times; undefined for ISO 8601. */
  readonly time?: string
  /** Whether its times have more digits than milliseconds. */
  readonly isFine?: true
  /** Words that stand for null. */
  readonly nulls: readonly string[]
}

/** How numbers may be written, the commonest first. */
export const NUMBER_FORMS: readonly NumberForm[] = [
  {},
  { decimal: ',' },
  { decimal: ',', thousands: '.' },
  { thousands: ',' },
]

const NULLS = new Set(['NULL', 'null', 'NA', 'N/A', '#N/A', 'n/a', 'NaN', 'nan', 'None', 'none', '\\N', '-', '?'])
/** Dates that are written with day or month first in the same way are texts, unless a value tells. */
const DATES = ['dd.MM.yyyy', 'dd/MM/yyyy', 'MM/dd/yyyy', 'dd-MM-yyyy', 'yyyy/MM/dd', 'd.M.yyyy', 'M/d/yyyy', 'd/M/yyyy']
const TIMES = DATES.flatMap((date) => [date, `${date} HH:mm`, `${date} HH:mm:ss`, `${date} H:mm`])
/** The share of the values that may not be of the type: they become dead letters, and are seen. */
const MOST_MISFITS = 0.02
const MANY = 50

const cutOff = timeRules({ subMilliseconds: 'truncate' })
const exact = timeRules({})

/** The type of a column's values. */
export function typeOfTexts(values: readonly string[], form: NumberForm): TextType {
  const there = values.filter((value) => value !== '')
  const nulls = [...new Set(there.filter((value) => NULLS.has(value)))]
  const told = there.filter((value) => !NULLS.has(value))
  const found = told.length === 0 ? undefined : typed(told, form)
  return found === undefined ? { type: 'text', nulls: [] } : { ...found, nulls }
}

function typed(values: readonly string[], form: NumberForm): Omit<TextType, 'nulls'> | undefined {
  if (values.every((value) => /^(?:true|false|yes|no)$/i.test(value))) return { type: 'boolean' }
  // Numbers with zeros or signs in front are names: postal codes, telephone numbers.
  const isName = values.some((value) => /^(?:[+-]?0[0-9]|\+)/.test(value))
  if (!isName) {
    if (fits(values, convert('integer', form))) return { type: 'integer' }
    if (fits(values, convert('real', form))) return { type: 'real' }
  }
  if (fits(values, (value) => typeof timeReader('iso', exact)(value) === 'number')) return { type: 'time' }
  if (fits(values, (value) => typeof timeReader('iso', cutOff)(value) === 'number'))
    return { type: 'time', isFine: true }
  return timeByPattern(values)
}

function timeByPattern(values: readonly string[]): Omit<TextType, 'nulls'> | undefined {
  if (!/^\d{1,4}[./-]\d/.test(values[0] ?? '')) return undefined
  const fitting = TIMES.filter((pattern) => {
    const read = timeReader(pattern, exact)
    return fits(values, (value) => typeof read(value) === 'number')
  })
  const [time] = fitting
  const isAmbiguous = fitting.some((one) => one.toLowerCase().startsWith('m')) && fitting.some((one) => /^d/.test(one))
  return time === undefined || isAmbiguous ? undefined : { type: 'time', time }
}

function fits(values: readonly string[], test: (value: string) => boolean): boolean {
  const most = values.length >= MANY ? values.length * MOST_MISFITS : 0
  let misfits = 0
  for (const value of values) {
    if (test(value)) continue
    misfits += 1
    if (misfits > most) return false
  }
  return true
}

function convert(type: 'integer' | 'real', { decimal, thousands }: NumberForm): (value: string) => boolean {
  const isPlain = decimal === undefined && thousands === undefined
  const marks = isPlain ? undefined : numberMarks(decimal ?? '.', thousands)
  const rules: ValueRules = { bigints: 'reject', marks, timeOf: () => ({ read: () => '', words: '' }) }
  const read = converterOf('', type, rules)
  return (value) => {
    const found = read(value)
    return found !== MISFIT && !(found instanceof Rejection)
  }
}
