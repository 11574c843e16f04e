// Values of PostgreSQL, as it writes them, to values of JavaScript: by the type of the column, or what is asked for.

import type { ColumnType } from '../../column.ts'
import type { JsonBigInts } from '../../kits/json/numbers.ts'
import { momentOf, type Times } from '../../kits/rows/times.ts'
import { Unfit } from '../../kits/rows/unfit.ts'
import { jsonOf } from '../../kits/rows/values.ts'

export type ParseValue = (text: string) => unknown

/** What is asked for. */
export interface ValueChoices {
  readonly bigints: JsonBigInts
  /** Undefined: milliseconds where the type holds nothing finer, else text. */
  readonly times: Times | undefined
}

/** Numbers that the server gives to its own types. */
export const OID = {
  bool: 16,
  bytea: 17,
  char: 18,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
} as const

const WHOLE: readonly number[] = [OID.int2, OID.int4, OID.int8, OID.oid]
const REAL: readonly number[] = [OID.float4, OID.float8]
const JSON_TYPES: readonly number[] = [OID.json, OID.jsonb]
/** Types whose values are written as numbers. */
const NUMBERS: readonly number[] = [...WHOLE, ...REAL, OID.numeric]
const MOMENTS: readonly number[] = [OID.date, OID.timestamp, OID.timestamptz]
/** The type of a column of timestamps that says no digits has six. */
const MILLISECOND_DIGITS = 3

const TIME =
  /^(\d{4,6})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?( BC)?$/

/** A column of the result: its type, and how many digits that says. */
export interface PostgresType {
  readonly oid: number
  /** -1 where it says nothing. */
  readonly modifier: number
}

/**
 * What makes values of one column.
 *
 * @param wanted - the type that the column was named with; then numbers and times become that
 */
export function parserOf(type: PostgresType, wanted: ColumnType | undefined, choices: ValueChoices): ParseValue {
  const { oid } = type
  if (wanted === 'text') return asItStands
  if (NUMBERS.includes(oid)) {
    if (wanted === 'real') return parseReal
    if (wanted === 'integer') return parseWhole
    if (wanted === 'decimal') return asItStands
  }
  if (wanted === 'time' && MOMENTS.includes(oid)) return (text) => parseTime(text, 'ms')
  if (WHOLE.includes(oid)) return parseWhole
  if (REAL.includes(oid)) return Number
  if (JSON_TYPES.includes(oid)) return jsonOf(choices.bigints)
  switch (oid) {
    case OID.bool:
      return (text) => text === 't'
    case OID.bytea:
      return parseBytes
    case OID.timestamptz: {
      const times = timesOf(type, choices)
      return (text) => parseTime(text, times)
    }
    default:
      return asItStands
  }
}

/** What the values of a column are, to make a table of them. */
export function columnTypeOf(type: PostgresType, wanted: ColumnType | undefined, choices: ValueChoices): ColumnType {
  const { oid } = type
  if (wanted !== undefined) return wanted
  if (WHOLE.includes(oid)) return 'integer'
  if (REAL.includes(oid)) return 'real'
  if (JSON_TYPES.includes(oid)) return 'json'
  switch (oid) {
    case OID.numeric:
      return 'decimal'
    case OID.bool:
      return 'boolean'
    case OID.bytea:
      return 'bytes'
    case OID.timestamptz: {
      const times = timesOf(type, choices)
      return times === 'ms' ? 'time' : times === 'text' ? 'text' : 'integer'
    }
    default:
      return 'text'
  }
}

/** A whole number, exactly: as a bigint where a number would not do. What is not whole stays what it is. */
export function parseWhole(text: string): number | bigint | string {
  const number = Number(text)
  if (Number.isSafeInteger(number) && /^-?\d+$/.test(text)) return number
  return /^-?\d+$/.test(text) ? BigInt(text) : text
}

/**
 * A moment; a time without a zone is taken for UTC. As text it is ISO 8601 with all its digits, or what the server
 * writes where that has no form for it (`infinity`, years beyond 9999 and before 1).
 *
 * @throws {Unfit} for one that the unit cannot say
 */
export function parseTime(text: string, times: Times): number | bigint | string {
  const match = TIME.exec(text)
  if (times === 'text') {
    return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/.test(text) ? `${text.slice(0, -3).replace(' ', 'T')}Z` : text
  }
  if (match === null) throw new Unfit(`${text} is not a moment that a number can say: take it as text`)
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = '', sign, ...offset] = match
  const [hours = 0, minutes = 0, seconds = 0, era] = offset
  const date = new Date(0)
  // The year before 1 is the year 1 BC.
  date.setUTCFullYear(era === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day))
  const offsetSeconds = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  const daySeconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second)
  const shifted = daySeconds - (sign === '-' ? -offsetSeconds : offsetSeconds)
  const micros = Number(fraction.padEnd(6, '0'))
  const ms = date.getTime() + shifted * 1000 + Math.trunc(micros / 1000)
  return momentOf(times, ms, (micros % 1000) * 1000, text)
}

function timesOf({ modifier }: PostgresType, { times }: ValueChoices): Times {
  return times ?? (modifier >= 0 && modifier <= MILLISECOND_DIGITS ? 'ms' : 'text')
}

function asItStands(text: string): string {
  return text
}

function parseReal(text: string): number {
  const number = Number(text)
  if (Number.isFinite(number) || /^(NaN|-?Infinity)$/.test(text)) return number
  throw new Unfit(`${text.slice(0, 40)} is over what a number can be`)
}

function parseBytes(text: string): Uint8Array {
  if (!text.startsWith('\\x')) throw new Unfit('the server writes bytes in another form than hex')
  return Uint8Array.from(Buffer.from(text.slice(2), 'hex'))
}
