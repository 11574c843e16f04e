// Operators that take fields by their names, as the functions that do the work.

import { describeValue } from '../base/check.ts'
import { checkNames, fieldOf, fieldText, keyOfFields, reading } from '../base/field.ts'
import { generated } from '../base/generated.ts'
import type { Key } from '../base/hash.ts'
import { columnDerive, columnSelect } from './by-column.ts'
import { columnSplit } from './column-split.ts'
import { checkFunction } from './name.ts'
import type { ByColumn, FieldUse } from './plan.ts'

type Row = Record<string, unknown>
type OfEvent<Out> = (event: never) => Out

/** A function with what it does to the fields of an event. */
export interface FieldFunction<Out> {
  readonly fn: OfEvent<Out>
  readonly fields: FieldUse
  readonly byColumn?: ByColumn
}

/** Makes an event of some of its fields, by the names that they are to have. */
export function selecting(given: readonly unknown[]): FieldFunction<Row> {
  const [first] = given
  const isMap = given.length === 1 && typeof first === 'object' && first !== null && !Array.isArray(first)
  const pairs: readonly (readonly [name: string, of: unknown])[] = isMap
    ? Object.entries(first)
    : given.map((name) => [name as string, name])
  const names = pairs.map(([name]) => name)
  const reads = pairs.map(([, of]) => of)
  checkNames('select', names)
  for (const of of reads) checkNames('select', [of])
  const made = pairs.map(([name, of]) => `${JSON.stringify(name)}: ${fieldText(of as string)}`)
  const check = rowCheck('select')
  const fields = pairs.map(([name, of]) => [name, fieldOf(of as string)] as const)
  const fn =
    generated<OfEvent<Row>>(`return (event) => (check(event), { ${made.join(', ')} })`, { check }) ??
    ((event: never) => {
      check(event)
      return Object.fromEntries(fields.map(([name, field]) => [name, field(event)]))
    })
  return {
    fn: reading(reads as string[], fn as OfEvent<Row>),
    fields: { reads: reads as string[], only: names },
    byColumn: columnSelect(pairs as (readonly [string, string])[]),
  }
}

/** Adds a field that a function makes of others, or puts it in place of one that is there. */
export function deriving(name: unknown, from: unknown, fn: (...values: never[]) => unknown): FieldFunction<Row> {
  checkNames('derive', [name])
  if (!Array.isArray(from))
    throw new TypeError(`derive takes the names of fields as an array: found ${describeValue(from)}`)
  checkNames('derive', from, 0)
  checkFunction('derive', fn)
  const check = rowCheck('derive')
  const value = `fn(${from.map(fieldText).join(', ')})`
  const body = `return (event) => (check(event), { ...event, ${JSON.stringify(name)}: ${value} })`
  const fields = from.map(fieldOf)
  const made =
    generated<OfEvent<Row>>(body, { check, fn }) ??
    ((event: Row) => {
      check(event)
      return { ...event, [name as string]: fn(...(fields.map((field) => field(event as never)) as never[])) }
    })
  return {
    fn: made as OfEvent<Row>,
    fields: { reads: from, adds: [name as string] },
    byColumn: columnDerive(name as string, from, fn),
  }
}

/** One event for each part of a text, in place of the field; empty parts are left out, as is a field that is null. */
export function splitting(name: unknown, separator: unknown): FieldFunction<Iterable<Row>> {
  checkNames('split', [name])
  if (!(typeof separator === 'string' && separator !== '') && !(separator instanceof RegExp)) {
    throw new TypeError(`split takes a separator, a text or a regular expression: found ${describeValue(separator)}`)
  }
  const field = name as string
  const check = rowCheck('split')
  const read = fieldOf(field)
  const fn = (event: Row): Row[] => {
    check(event)
    const text = read(event as never)
    if (text === null || text === undefined) return []
    if (typeof text !== 'string')
      throw new TypeError(`Cannot split field ${field}: it is not a text, found ${describeValue(text)}`)
    const rows: Row[] = []
    for (const part of text.split(separator)) if (part) rows.push({ ...event, [field]: part })
    return rows
  }
  const byColumn = columnSplit(field, separator)
  return {
    fn: fn as OfEvent<Row[]>,
    fields: { reads: [field], adds: [field] },
    ...(byColumn === undefined ? {} : { byColumn }),
  }
}

/** Rows are made from rows only: nobody requested the fields of a text or a number. */
function rowCheck(what: string): (event: unknown) => void {
  return (event) => {
    if (typeof event === 'object' && event !== null) return
    throw new TypeError(`${what} takes rows: found ${describeValue(event)}`)
  }
}

/** A key as specified in an option: a function, or names of fields. */
export function keyFrom(what: string, key: unknown): OfEvent<Key> {
  if (typeof key === 'function') return key as OfEvent<Key>
  const names: readonly unknown[] = Array.isArray(key) ? key : [key]
  if (names.every((name) => typeof name === 'string')) {
    checkNames(what, names)
    return keyOfFields(names)
  }
  throw new TypeError(`${what} takes a function, or names of fields: found ${describeValue(key)}`)
}

/** A number of an event, by a function or a field. */
export function numberBy(what: string, of: unknown): OfEvent<number> {
  if (typeof of !== 'string') {
    checkFunction(what, of)
    return of as OfEvent<number>
  }
  checkNames(what, [of])
  return fieldOf(of) as OfEvent<number>
}

/** Compares events by a field: numbers, bigints, texts and dates by `<`; null comes last, in either order. */
export function comparingBy(name: unknown, order: 'ascending' | 'descending'): (a: never, b: never) => number {
  checkNames('sort', [name])
  const field = fieldOf(name as string)
  const sign = order === 'ascending' ? 1 : -1
  const compare = (a: never, b: never): number => {
    const [left, right] = [field(a), field(b)]
    const isMissing = Number(left === null || left === undefined) - Number(right === null || right === undefined)
    if (isMissing !== 0 || left === null || left === undefined) return isMissing
    return sign * compareOrdered(name as string, left, right)
  }
  return reading([name as string], compare as OfEvent<number>) as typeof compare
}

function compareOrdered(name: string, left: unknown, right: unknown): number {
  const isAlike = typeof left === typeof right && left instanceof Date === right instanceof Date
  const [a, b] = left instanceof Date && right instanceof Date ? [left.getTime(), right.getTime()] : [left, right]
  if (!isAlike || Number.isNaN(a) || Number.isNaN(b) || (typeof a === 'object' && a !== null)) {
    const found = `${describeValue(left)} and ${describeValue(right)}`
    throw new TypeError(
      `Cannot sort by field ${name}: it takes numbers, bigints, texts or dates, of one kind, found ${found}`,
    )
  }
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}
