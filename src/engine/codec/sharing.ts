// Detects objects that are referenced more than once, which a clone would keep shared.

import { types } from 'node:util'

/** Objects visited in one value before it is assumed to share some. */
const MOST_LOOKED_AT = 256

/** Whether a value occurs in `rebuilt` twice. */
export function hasTwice(rebuilt: readonly (readonly unknown[])[]): boolean {
  const seen = new Set<unknown>()
  let values = 0
  for (const column of rebuilt) {
    for (let i = 0; i < column.length; i += 1) seen.add(column[i])
    values += column.length
    if (seen.size !== values) return true
  }
  return false
}

/** Whether something in `columns` leads to an object of `targets`, or is too large to tell. */
export function leadsTo(targets: ReadonlySet<unknown>, columns: readonly (readonly unknown[])[]): boolean {
  return columns.some((column) => column.some((value) => isObject(value) && valueLeadsTo(targets, value)))
}

function valueLeadsTo(targets: ReadonlySet<unknown>, value: object): boolean {
  const open: object[] = [value]
  let looked = 0
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    looked += 1
    if (looked > MOST_LOOKED_AT || targets.has(at)) return true
    for (const inner of insideOf(at)) if (isObject(inner)) open.push(inner)
  }
  return false
}

/** What a clone of `value` would clone, too. */
function insideOf(value: object): Iterable<unknown> {
  if (ArrayBuffer.isView(value) || types.isProxy(value)) return []
  if (types.isMap(value)) return [...value.keys(), ...value.values()]
  if (types.isSet(value)) return value
  const inside: unknown[] = Object.values(value)
  if (types.isNativeError(value)) inside.push(value.cause)
  return inside
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
