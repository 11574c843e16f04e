// Cursor values of SQLite, as stored in positions, and how to look back from them.

import type { SQLOutputValue } from 'node:sqlite'
import { type LookBack, unfitLookBack } from '../../kits/rows/look-back.ts'
import { lost } from '../../kits/rows/stood.ts'
import { plainWhole } from '../../kits/rows/times.ts'
import type { Json, Position } from '../../source.ts'

/** A stored value: numbers and texts as they are, others tagged with their type. */
export function toKept(value: SQLOutputValue): Json {
  if (typeof value === 'bigint') {
    const whole = plainWhole(value)
    return typeof whole === 'number' ? whole : { bigint: `${value}` }
  }
  if (value instanceof Uint8Array) return { blob: Buffer.from(value).toString('hex') }
  return typeof value === 'number' && !Number.isFinite(value) ? { real: `${value}` } : value
}

/** @throws {SluiceError} POSITION_LOST if it is not such a value */
export function fromKept(
  reading: { readonly source: string },
  position: Position | undefined,
  kept: Json,
): SQLOutputValue {
  if (typeof kept === 'number' || typeof kept === 'string') return kept
  const { bigint, blob, real } = (typeof kept === 'object' && kept !== null ? kept : {}) as Record<string, Json>
  if (typeof bigint === 'string' && /^-?\d+$/.test(bigint)) return BigInt(bigint)
  if (typeof blob === 'string') return Uint8Array.from(Buffer.from(blob, 'hex'))
  if (typeof real === 'string') return Number(real)
  throw lost(reading, position, 'it has no value for the cursor')
}

const MOMENT = /^(\d{4}-\d\d-\d\d)(?:([T ])(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/

/** Where rows are read again from; for times as text, from the minute on. */
export function boundOf(lookBack: LookBack, after: SQLOutputValue, source: string, cursor: string): SQLOutputValue {
  if (lookBack.kind === 'number') {
    if (typeof after === 'bigint') return after - BigInt(Math.ceil(lookBack.by))
    if (typeof after === 'number') return after - lookBack.by
    throw unfitLookBack(source, cursor, lookBack, describe(after))
  }
  const [, day, between, clock = '00:00'] = (typeof after === 'string' ? MOMENT.exec(after) : null) ?? []
  const ms = Date.parse(`${day}T${clock}:00Z`)
  if (Number.isNaN(ms)) throw unfitLookBack(source, cursor, lookBack, describe(after))
  const [date = '', time = ''] = new Date(ms - lookBack.ms).toISOString().split('T')
  return between === undefined ? date : `${date}${between}${time.slice(0, 5)}`
}

function describe(value: SQLOutputValue): string {
  return value instanceof Uint8Array ? 'bytes' : typeof value === 'string' ? 'text that is not ISO 8601' : 'a number'
}
