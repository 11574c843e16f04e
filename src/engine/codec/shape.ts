// Takes objects of one shape apart into columns and puts them together again, by generated code or plainly.

import { types } from 'node:util'

/** What objects have in common: the same keys in the same order, or, for arrays, the same length. */
export type Shape =
  | { readonly kind: 'record'; readonly keys: readonly string[] }
  | { readonly kind: 'tuple'; readonly length: number }

/** Appends each part of each value to its column. False, with columns half filled, if a value has another shape. */
export type Gather = (values: readonly unknown[], columns: readonly unknown[][]) => boolean

/** Makes `length` new objects from columns. */
export type Scatter = (length: number, columns: readonly ArrayLike<unknown>[]) => unknown[]

/** Whether `value` is a plain object: its prototype is Object.prototype, and it is not a Proxy. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !types.isProxy(value) &&
    Object.getPrototypeOf(value) === Object.prototype
  )
}

/** Whether `value` is a plain array: no holes, no further properties, no subclass. */
export function isPlainArray(value: unknown): value is unknown[] {
  if (!Array.isArray(value) || types.isProxy(value) || Object.getPrototypeOf(value) !== Array.prototype) return false
  const keys = Object.keys(value)
  return keys.length === value.length && (keys.length === 0 || keys[keys.length - 1] === `${keys.length - 1}`)
}

/** {@link Gather} without generated code: the reference for the generated code. */
export function plainGather(shape: Shape): Gather {
  return shape.kind === 'tuple' ? gatherTuples(shape.length) : gatherRecords(shape.keys)
}

function gatherTuples(length: number): Gather {
  return (values, columns) => {
    for (const value of values) {
      if (!isPlainArray(value) || value.length !== length) return false
      for (let k = 0; k < length; k += 1) columns[k]?.push(value[k])
    }
    return true
  }
}

function gatherRecords(keys: readonly string[]): Gather {
  return (values, columns) => {
    for (const value of values) {
      if (!isRecord(value)) return false
      const found = Object.keys(value)
      if (found.length !== keys.length || found.some((key, k) => key !== keys[k])) return false
      for (let k = 0; k < keys.length; k += 1) columns[k]?.push(value[keys[k] as string])
    }
    return true
  }
}

/** {@link Scatter} without generated code. */
export function plainScatter(shape: Shape): Scatter {
  return (length, columns) => {
    const values: unknown[] = []
    for (let i = 0; i < length; i += 1) {
      const parts: unknown[] = []
      for (const column of columns) parts.push(column[i])
      values.push(shape.kind === 'tuple' ? parts : recordOf(shape.keys, parts))
    }
    return values
  }
}

/** A key may be `__proto__`: it is defined, never assigned. */
function recordOf(keys: readonly string[], parts: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key, k) => [key, parts[k]]))
}
