// What `where` asks of a field.

import { describeValue } from '../base/check.ts'
import { checkNames, fieldOf, fieldText, reading } from '../base/field.ts'
import { generated } from '../base/generated.ts'
import { columnNull, columnWhere } from './by-column.ts'
import type { Comparison } from './field-types.ts'
import type { ByColumn } from './plan.ts'

type Test = (value: unknown) => boolean
type Comparable = string | number | bigint | boolean | Date

const SIGNS = { '=': '===', '!=': '!==', '<': '<', '<=': '<=', '>': '>', '>=': '>=' } as const
type Sign = keyof typeof SIGNS
const COMPARISONS: readonly string[] = [...Object.keys(SIGNS), 'in', 'is', 'is not'] satisfies Comparison[] | string[]

/**
 * Says whether a field of an event compares with a value as asked.
 *
 * Null and undefined compare with nothing but `is` and `is not`; texts compare by code unit, dates by their time.
 *
 * @throws {TypeError} for a comparison or a value that cannot be; by the function, where the field is NaN, or of another
 *   kind than the value
 * @example
 * comparing('status', '>=', 500).keep({ status: 503 } as never) // => true
 */
export function comparing(
  name: string,
  op: string,
  value: unknown,
): { readonly keep: (event: never) => boolean; readonly byColumn: ByColumn | undefined } {
  checkNames('where', [name])
  if (!COMPARISONS.includes(op)) {
    throw new TypeError(`where compares by ${COMPARISONS.join(', ')}: found ${describeValue(op)}`)
  }
  const field = fieldOf(name)
  if (op === 'is' || op === 'is not') {
    if (value !== null) throw new TypeError(`where takes null after "${op}": found ${describeValue(value)}`)
    const isNull = op === 'is'
    return {
      keep: reading([name], (event) => isNullish(field(event)) === isNull),
      byColumn: columnNull(name, isNull),
    }
  }
  const test = op === 'in' ? among(name, value) : against(name, op as Sign, checked(op, value))
  const [kind, fast] = fastTest(op, value)
  const byColumn = kind && columnWhere(name, kind, fast ?? test)
  if (fast === undefined) return { keep: reading([name], (event) => test(field(event))), byColumn }
  const body = `return (event) => {
    const found = ${fieldText(name)}
    return typeof found === '${kind}' && found === found ? fast(found) : test(found)
  }`
  const keep = generated<(event: never) => boolean>(body, { fast, test })
  return { keep: reading([name], keep ?? ((event) => test(field(event)))), byColumn }
}

/** The kind of a value that vectors hold, and the comparison of two of that kind. */
function fastTest(op: string, value: unknown): [kind?: 'number' | 'string', fast?: Test | undefined] {
  const kind = typeof (op === 'in' ? (value as unknown[])[0] : value)
  if (kind !== 'number' && kind !== 'string') return []
  if (op === 'in') return (value as unknown[]).every((one) => typeof one === kind) ? [kind] : []
  return [kind, generated<Test>(`return (found) => found ${SIGNS[op as Sign]} value`, { value })]
}

/** A comparison in words, for names of operators. */
export function comparisonText(name: string, op: string, value: unknown): string {
  const text = Array.isArray(value) ? `${value.length} values` : value instanceof Date ? value.toISOString() : undefined
  return `where ${name} ${op} ${text ?? describeValue(value)}`
}

function against(name: string, op: Sign, value: Comparable): Test {
  const other = plain(value)
  const kind = kindOf(value)
  return (given) => {
    if (isNullish(given)) return false
    const found = plain(given)
    if (kindOf(given) !== kind || Number.isNaN(found)) throw incomparable(name, value, given)
    const [a, b] = [found as number, other as number]
    if (op === '=') return a === b
    if (op === '!=') return a !== b
    if (op === '<') return a < b
    if (op === '<=') return a <= b
    return op === '>' ? a > b : a >= b
  }
}

function among(name: string, values: unknown): Test {
  if (!Array.isArray(values)) throw new TypeError(`where takes an array after "in": found ${describeValue(values)}`)
  const known = new Map<string, Set<unknown>>()
  for (const value of values) {
    const kind = kindOf(checked('in', value))
    known.set(kind, (known.get(kind) ?? new Set()).add(plain(value)))
  }
  const [first] = values
  return (given) => {
    if (isNullish(given) || known.size === 0) return false
    const found = plain(given)
    const alike = known.get(kindOf(given))
    if (alike === undefined || Number.isNaN(found)) throw incomparable(name, first, given)
    return alike.has(found)
  }
}

function incomparable(name: string, value: unknown, found: unknown): TypeError {
  return new TypeError(`Cannot compare field ${name} with ${describeValue(value)}: found ${describeValue(found)}`)
}

function checked(op: string, value: unknown): Comparable {
  const isPlain = ['string', 'number', 'boolean', 'date'].includes(kindOf(value))
  if (isPlain && !Number.isNaN(plain(value))) return value as Comparable
  const hint = isNullish(value) ? `; for null, say where(name, 'is', null)` : ''
  throw new TypeError(
    `where takes a text, a number, a boolean or a date after "${op}": found ${describeValue(value)}${hint}`,
  )
}

/** A value as `===` and `<` compare it: of a date its time, of a bigint the number of the same value, if there is one. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'bigint' && BigInt(Number(value)) === value ? Number(value) : value
}

/** Values of one kind can be compared. */
function kindOf(value: unknown): string {
  if (value instanceof Date) return 'date'
  return typeof value === 'bigint' ? 'number' : typeof value
}

function isNullish(value: unknown): value is null | undefined {
  return value === null || value === undefined
}
