// Converts PostgreSQL's text values to JavaScript: by the type of the column, or the requested type.

import type { ColumnType } from '../../column.ts'
import { columnOfTimes, momentOf, type Times, type ValueChoices } from '../../kits/rows/times.ts'
import { Unfit } from '../../kits/rows/unfit.ts'
import { jsonOf } from '../../kits/rows/values.ts'

export type ParseValue = (text: string) => unknown

/** The server's numbers of its built-in types. */
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
/** The precision of a timestamp column without a declared one is six digits. */
const MILLISECOND_DIGITS = 3

const TIME =
  /^(\d{4,6})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?( BC)?$/

/** A column of the result: its type, and the declared digits. */
export interface PostgresType {
  readonly oid: number
  /** -1 if not declared. */
  readonly modifier: number
}

/**
 * The converter of one column's values.
 *
 * @param wanted - the declared type of the column; numbers and times then become that
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

/** The type of a column's values, to create a table for them. */
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
    case OID.timestamptz:
      return columnOfTimes(timesOf(type, choices))
    default:
      return 'text'
  }
}

/** An integer, exactly: as a bigint if a number is not enough. Other values are unchanged. */
export function parseWhole(text: string): number | bigint | string {
  const number = Number(text)
  if (Number.isSafeInteger(number) && /^-?\d+$/.test(text)) return number
  return /^-?\d+$/.test(text) ? BigInt(text) : text
}

/**
 * A timestamp; one without a zone is interpreted as UTC. As text it is ISO 8601 with all its digits, or what the server
 * writes if that cannot represent it (`infinity`, years beyond 9999 and before 1).
 *
 * @throws {Unfit} for one that the unit cannot represent
 */
export function parseTime(text: string, times: Times): number | bigint | string {
  const match = TIME.exec(text)
  if (times === 'text') {
    return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/.test(text) ? `${text.slice(0, -3).replace(' ', 'T')}Z` : text
  }
  if (match === null) throw new Unfit(`${text} is not a time that a number can hold: take it as text`)
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = '', sign, ...offset] = match
  const [hours = 0, minutes = 0, seconds = 0, era] = offset
  const date = new Date(0)
  // The year before 1 is 1 BC.
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
  throw new Unfit(`${text.slice(0, 40)} is too large for a number`)
}

function parseBytes(text: string): Uint8Array {
  if (!text.startsWith('\\x')) throw new Unfit('the server writes bytes in another form than hex')
  return Uint8Array.from(Buffer.from(text.slice(2), 'hex'))
}
