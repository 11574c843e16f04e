// What `where` asks of a field.

import { describeValue } from '../base/check.ts'
import { checkNames, fieldOf, reading } from '../base/field.ts'
import { generated } from '../base/generated.ts'
import type { Comparison } from './field-types.ts'

type Test = (value: unknown) => boolean
type Comparable = string | number | bigint | boolean | Date

const SIGNS = { '=': '===', '!=': '!==', '<': '<', '<=': '<=', '>': '>', '>=': '>=' } as const
type Sign = keyof typeof SIGNS
const COMPARISONS: readonly string[] = [...Object.keys(SIGNS), 'in', 'is', 'is not'] satisfies Comparison[] | string[]

/**
 * A function that says whether a field of an event compares with a value as asked.
 *
 * Null and undefined compare with nothing but `is` and `is not`; texts compare by code unit, dates by their time.
 *
 * @throws {TypeError} for a comparison or a value that cannot be; by the function, where the field is NaN, or of another
 *   kind than the value
 * @example
 * comparing('status', '>=', 500)({ status: 503 } as never) // => true
 */
export function comparing(name: string, op: string, value: unknown): (event: never) => boolean {
  checkNames('where', [name])
  if (!COMPARISONS.includes(op)) {
    throw new TypeError(`where compares by ${COMPARISONS.join(', ')}: found ${describeValue(op)}`)
  }
  const field = fieldOf(name)
  if (op === 'is' || op === 'is not') {
    if (value !== null) throw new TypeError(`where takes null after "${op}": found ${describeValue(value)}`)
    return reading([name], (event) => isNullish(field(event)) === (op === 'is'))
  }
  const test = op === 'in' ? among(name, value) : against(name, op as Sign, checked(op, value))
  const kind = typeof value
  if (op === 'in' || (kind !== 'number' && kind !== 'string')) return reading([name], (event) => test(field(event)))
  const body = `return (event) => {
    const found = event[${JSON.stringify(name)}]
    return typeof found === '${kind}' && found === found ? found ${SIGNS[op as Sign]} value : test(found)
  }`
  const fast = generated<(event: never) => boolean>(body, { value, test })
  return reading([name], fast ?? ((event) => test(field(event))))
}

/** A comparison in words, for names of operators. */
export function comparisonText(name: string, op: string, value: unknown): string {
  const text = Array.isArray(value) ? `${value.length} values` : value instanceof Date ? value.toISOString() : undefined
  return `where ${name} ${op} ${text ?? describeValue(value)}`
}

function against(name: string, op: Sign, value: Comparable): Test {
  const other = plain(value)
  return (given) => {
    if (isNullish(given)) return false
    const found = plain(given)
    const isAlike = typeof found === typeof other && given instanceof Date === value instanceof Date
    if (!(isAlike || (isNumeric(found) && isNumeric(other))) || Number.isNaN(found)) {
      throw new TypeError(`Cannot compare field ${name} with ${describeValue(value)}: found ${describeValue(given)}`)
    }
    const [a, b] = [found as number, other as number]
    // A bigint and a number of the same value are neither less.
    if (op === '=' || op === '!=') return (a === b || (typeof a !== typeof b && !(a < b) && !(a > b))) === (op === '=')
    if (op === '<') return a < b
    if (op === '<=') return a <= b
    return op === '>' ? a > b : a >= b
  }
}

function among(name: string, values: unknown): Test {
  if (!Array.isArray(values)) throw new TypeError(`where takes an array after "in": found ${describeValue(values)}`)
  const tests = new Map<string, Test>()
  const known = new Set<unknown>()
  for (const value of values) {
    known.add(plain(checked('in', value)))
    tests.set(typeof value, against(name, '=', value))
  }
  // One of them says whether a value can be compared at all.
  const [first = () => false] = tests.values()
  return (found) => {
    if (isNullish(found)) return false
    if (!tests.has(typeof found) || Number.isNaN(found)) return first(found)
    return known.has(plain(found))
  }
}

function checked(op: string, value: unknown): Comparable {
  const isPlain = ['string', 'number', 'bigint', 'boolean'].includes(typeof value) || value instanceof Date
  if (isPlain && !Number.isNaN(plain(value))) return value as Comparable
  const hint = isNullish(value) ? `; for null, say where(name, 'is', null)` : ''
  throw new TypeError(
    `where takes a text, a number, a boolean or a date after "${op}": found ${describeValue(value)}${hint}`,
  )
}

/** A value that `===` compares: of a date its time. */
function plain(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : value
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint'
}

function isNullish(value: unknown): value is null | undefined {
  return value === null || value === undefined
}
