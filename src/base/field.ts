// Functions made from field names, which can be asked which fields they read.

import { describeValue } from './check.ts'
import { generated } from './generated.ts'
import type { Key } from './hash.ts'

type OfEvent<Out> = (event: never) => Out

/** Function → the fields that it reads. */
const READ = new WeakMap<OfEvent<unknown>, readonly string[]>()

/**
 * The fields that a function reads, if it was made from field names; undefined for any other function.
 *
 * @example
 * fieldsReadBy(fieldOf('status')) // => ['status']
 * fieldsReadBy((event: { status: number }) => event.status) // => undefined
 */
export function fieldsReadBy(fn: OfEvent<unknown> | undefined): readonly string[] | undefined {
  return fn === undefined ? undefined : READ.get(fn)
}

/** Marks a function as one that reads these fields and no others. */
export function reading<F extends OfEvent<unknown>>(names: readonly string[], fn: F): F {
  READ.set(fn, names)
  return fn
}

/**
 * Gives one field of an event.
 *
 * @example
 * fieldOf('status')({ status: 200 } as never) // => 200
 */
export function fieldOf(name: string): OfEvent<unknown> {
  // A function of its own for each name: the engine then knows where in an event the field lies.
  const fn = generated<OfEvent<unknown>>(`return (event) => ${fieldText(name)}`, {})
  if (fn !== undefined) return reading([name], fn)
  const isOwn = (event: never): boolean => !(name in Object.prototype) || Object.hasOwn(event, name)
  return reading([name], (event) => (isOwn(event) ? event[name] : undefined))
}

/** The field of `event` as text for generated code. Inherited properties such as `constructor` are not fields. */
export function fieldText(name: string): string {
  const text = JSON.stringify(name)
  return name in Object.prototype ? `(Object.hasOwn(event, ${text}) ? event[${text}] : undefined)` : `event[${text}]`
}

/**
 * Returns the key of an event from its fields: a single field's value, or a text that combines several.
 *
 * @throws {TypeError} (by the function) where a field cannot be a key: null, objects, NaN
 * @example
 * keyOfFields(['city'])({ city: 'Rome' } as never) // => 'Rome'
 * keyOfFields(['city', 'year'])({ city: 'Rome', year: 1999 } as never) // => 's4:Romen1999;'
 */
export function keyOfFields(names: readonly string[]): OfEvent<Key> {
  const [first, ...more] = names.map((name) => partOf(name))
  if (first === undefined) throw new TypeError('A key takes the name of a field, or several: found none')
  if (more.length === 0) return reading(names, first)
  const parts = [first, ...more]
  return reading(names, (event) => {
    let text = ''
    for (const part of parts) text += textOfKey(part(event))
    return text
  })
}

/**
 * The values of the fields that a key was made from.
 *
 * @example
 * valuesOfKey(['city', 'year'], 's4:Romen1999;') // => ['Rome', 1999]
 */
export function valuesOfKey(names: readonly string[], key: Key): readonly Key[] {
  if (names.length === 1) return [key]
  const text = key as string
  const values: Key[] = []
  for (let at = 0; at < text.length; ) {
    const kind = text[at]
    const end = text.indexOf(kind === 's' ? ':' : ';', at)
    const told = text.slice(at + 1, end)
    at = end + 1
    if (kind === 's') {
      values.push(text.slice(at, at + Number(told)))
      at += Number(told)
    } else values.push(kind === 'n' ? Number(told) : kind === 'i' ? BigInt(told) : told === 'true')
  }
  return values
}

/** The same, by the names of the fields. */
export function fieldsOfKey(names: readonly string[], key: Key): Record<string, unknown> {
  if (names.length === 0) return {}
  const values = valuesOfKey(names, key)
  return Object.fromEntries(names.map((name, at) => [name, values[at]]))
}

function partOf(name: string): OfEvent<Key> {
  const field = fieldOf(name)
  return (event) => {
    const value = field(event)
    switch (typeof value) {
      case 'string':
      case 'boolean':
      case 'bigint':
        return value
      case 'number':
        if (!Number.isNaN(value)) return value + 0
    }
    const found = value === undefined ? 'no such field' : describeValue(value)
    throw new TypeError(`Field ${name} is a key, a string, number, bigint or boolean: found ${found}`)
  }
}

/** A value as a piece of a text, such that no two lists of values give the same text. */
export function textOfKey(value: Key): string {
  if (typeof value === 'string') return `s${value.length}:${value}`
  if (typeof value === 'number') return `n${value};`
  return `${typeof value === 'bigint' ? 'i' : 'b'}${value};`
}

/**
 * Rejects anything that does not name fields.
 *
 * @param what - what takes them, for the error: `keyBy`
 */
export function checkNames(what: string, names: readonly unknown[], least = 1): asserts names is readonly string[] {
  if (names.length < least) throw new TypeError(`${what} takes names of fields: found none`)
  const seen = new Set<unknown>()
  for (const name of names) {
    if (typeof name !== 'string') throw new TypeError(`${what} takes names of fields: found ${describeValue(name)}`)
    // As the key of a row it would not be a field of it.
    if (name === '__proto__') throw new TypeError(`${what} cannot take a field named __proto__`)
    if (seen.has(name)) throw new TypeError(`${what} takes each field once: found ${describeValue(name)} twice`)
    seen.add(name)
  }
}
