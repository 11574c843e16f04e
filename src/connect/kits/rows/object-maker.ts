// Makes row objects with names known in advance.

import { generated } from '../../../base/generated.ts'
import { define } from './values.ts'

type Row = Record<string, unknown>

/** The most columns for which code is generated: an object of many more is a hash table anyway. */
export const GENERATED_COLUMNS = 500

/** Makes objects of values in the order of the names; `__proto__` is a name like any other. */
export function objectMaker(names: readonly string[]): (values: readonly unknown[]) => Row {
  const plain = (values: readonly unknown[]): Row => {
    const row: Row = {}
    for (const [place, name] of names.entries()) define(row, name, values[place])
    return row
  }
  if (names.length > GENERATED_COLUMNS) return plain
  const parts = names.map((name, place) => `${literalOf(name)}: values[${place}]`)
  return generated<(values: readonly unknown[]) => Row>(`return (values) => ({ ${parts.join(', ')} })`, {}) ?? plain
}

/** A name as the key of an object in generated code. */
export function literalOf(name: string): string {
  // A key in brackets is always a property; JSON's string literals are JavaScript's.
  const literal = JSON.stringify(name)
  return name === '__proto__' ? `[${literal}]` : literal
}
