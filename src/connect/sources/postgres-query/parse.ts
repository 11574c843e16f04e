// Values of PostgreSQL, as it writes them, to values of JavaScript: by the type of the column, or what is asked for.

import type { ColumnType } from '../../column.ts'

export type ParseValue = (text: string) => unknown

/** Numbers that the server gives to its own types. */
const OID = {
  bool: 16,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  jsonb: 3802,
} as const

const PARSERS: ReadonlyMap<number, ParseValue> = new Map<number, ParseValue>([
  [OID.bool, (text) => text === 't'],
  [OID.int2, Number],
  [OID.int4, Number],
  [OID.oid, Number],
  [OID.int8, parseWhole],
  [OID.float4, Number],
  [OID.float8, Number],
  [OID.json, JSON.parse],
  [OID.jsonb, JSON.parse],
  [OID.timestamptz, parseTime],
])

/** Types whose values are written as numbers. */
const NUMBERS: readonly number[] = [OID.int2, OID.int4, OID.oid, OID.int8, OID.float4, OID.float8, OID.numeric]
const TIMES: readonly number[] = [OID.date, OID.timestamp, OID.timestamptz]

const TIME =
  /^(\d{4,6})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?( BC)?$/

/**
 * What makes values of one column.
 *
 * @param oid - the server's number of the column's type
 * @param wanted - the type that the column was named with; then numbers and times become that
 */
export function parserOf(oid: number, wanted: ColumnType | undefined): ParseValue {
  if (wanted === 'text') return (text) => text
  if (wanted === 'real' && NUMBERS.includes(oid)) return Number
  if (wanted === 'integer' && NUMBERS.includes(oid)) return parseWhole
  if (wanted === 'time' && TIMES.includes(oid)) return parseTime
  return PARSERS.get(oid) ?? ((text) => text)
}

/** A whole number, exactly: as a bigint where a number would not do. What is not whole stays what it is. */
export function parseWhole(text: string): number | bigint | string {
  const number = Number(text)
  if (Number.isSafeInteger(number) && /^-?\d+$/.test(text)) return number
  return /^-?\d+$/.test(text) ? BigInt(text) : text
}

/**
 * Epoch milliseconds, without what is finer; a time without a zone is taken for UTC. `infinity` becomes a number that
 * is none of a time's.
 */
export function parseTime(text: string): number | string {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  if (text === '-infinity') return Number.NEGATIVE_INFINITY
  const match = TIME.exec(text)
  if (match === null) return text
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = '', sign, ...offset] = match
  const [hours = 0, minutes = 0, seconds = 0, era] = offset
  const date = new Date(0)
  // The year before 1 is the year 1 BC.
  date.setUTCFullYear(era === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day))
  const offsetSeconds = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  const daySeconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second)
  const shifted = daySeconds - (sign === '-' ? -offsetSeconds : offsetSeconds)
  return date.getTime() + shifted * 1000 + Math.trunc(Number(fraction.padEnd(6, '0')) / 1000)
}
