// The logical types of columns: current and legacy annotations, as one.

import { Damage } from './errors.ts'
import type { SchemaElement } from './footer.ts'
import { type PhysicalType, physicalOf } from './physical.ts'

/** A thousandth, a millionth or a billionth of a second. */
export type TimeUnit = 'ms' | 'us' | 'ns'

export type Meaning =
  | { readonly kind: 'plain' | 'unsigned' | 'text' | 'json' | 'date' | 'uuid' | 'float16' | 'interval' | 'null' }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'time-of-day'; readonly unit: TimeUnit }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly isUtc: boolean }

const BYTES: readonly PhysicalType[] = ['BYTE_ARRAY', 'FIXED_LEN_BYTE_ARRAY']
const INTEGERS: readonly PhysicalType[] = ['INT32', 'INT64']

/** The physical types of each kind of value. */
const STORED: Readonly<Record<Meaning['kind'], readonly PhysicalType[] | undefined>> = {
  plain: undefined,
  null: undefined,
  unsigned: INTEGERS,
  text: BYTES,
  json: BYTES,
  date: ['INT32'],
  uuid: ['FIXED_LEN_BYTE_ARRAY'],
  float16: ['FIXED_LEN_BYTE_ARRAY'],
  interval: ['FIXED_LEN_BYTE_ARRAY'],
  decimal: [...INTEGERS, ...BYTES],
  'time-of-day': INTEGERS,
  timestamp: ['INT64', 'INT96'],
}

/** The fixed length of a value in bytes, if only one is valid. */
const LENGTHS: Readonly<Partial<Record<Meaning['kind'], number>>> = { uuid: 16, float16: 2, interval: 12 }

/** The most digits after the point. */
const MAX_SCALE = 1000

export function meaningOf(element: SchemaElement): Meaning {
  const { type, width } = physicalOf(element)
  const meaning = type === 'INT96' ? INT96 : (ofAnnotation(element) ?? ofOldAnnotation(element) ?? PLAIN)
  const fits = STORED[meaning.kind]?.includes(type) ?? true
  if (!fits || (LENGTHS[meaning.kind] ?? width) !== width) {
    throw new Damage(`column ${element.name} is declared to hold values of ${meaning.kind}, and holds ${type}`)
  }
  if (meaning.kind === 'decimal' && meaning.scale > MAX_SCALE) {
    throw new Damage(`column ${element.name} has ${meaning.scale} digits after the point`)
  }
  return meaning
}

const PLAIN: Meaning = { kind: 'plain' }
const INT96: Meaning = { kind: 'timestamp', unit: 'ns', isUtc: false }
const UNITS: readonly (TimeUnit | undefined)[] = [undefined, 'ms', 'us', 'ns']

function ofAnnotation({ name, logical }: SchemaElement): Meaning | undefined {
  switch (logical?.id) {
    case 1:
    case 4:
      return { kind: 'text' }
    case 5:
      return { kind: 'decimal', scale: logical.scale ?? 0 }
    case 6:
      return { kind: 'date' }
    case 7:
    case 8: {
      const unit = UNITS[logical.unit ?? 0]
      if (unit === undefined) throw new Damage(`the times of column ${name} have no unit`)
      return logical.id === 7
        ? { kind: 'time-of-day', unit }
        : { kind: 'timestamp', unit, isUtc: logical.isUtc === true }
    }
    case 10:
      return logical.isSigned === false ? { kind: 'unsigned' } : PLAIN
    case 11:
      return { kind: 'null' }
    case 12:
      return { kind: 'json' }
    case 14:
      return { kind: 'uuid' }
    case 15:
      return { kind: 'float16' }
    default:
      return undefined
  }
}

function ofOldAnnotation({ converted, scale }: SchemaElement): Meaning | undefined {
  switch (converted) {
    case 0:
    case 4:
      return { kind: 'text' }
    case 5:
      return { kind: 'decimal', scale }
    case 6:
      return { kind: 'date' }
    case 7:
      return { kind: 'time-of-day', unit: 'ms' }
    case 8:
      return { kind: 'time-of-day', unit: 'us' }
    case 9:
      return { kind: 'timestamp', unit: 'ms', isUtc: true }
    case 10:
      return { kind: 'timestamp', unit: 'us', isUtc: true }
    case 11:
    case 12:
    case 13:
    case 14:
      return { kind: 'unsigned' }
    case 19:
      return { kind: 'json' }
    case 21:
      return { kind: 'interval' }
    default:
      return undefined
  }
}
