// Code generated for one shape. The text is ours: all that comes from events are keys, each as a string literal.

import { types } from 'node:util'
import { generated } from '../../base/generated.ts'
import type { Gather, Scatter, Shape } from './shape.ts'
import { isPlainArray } from './shape.ts'

/** Whether code may be generated in this process: not under --disallow-code-generation-from-strings. */
export const mayGenerate: boolean = generated('return true', {}) === true

/** As plainGather, several times as fast. */
export function generatedGather(shape: Shape): Gather {
  const parts = partsOf(shape)
  const check =
    shape.kind === 'tuple'
      ? `if (!isPlainArray(v) || v.length !== ${shape.length}) return false`
      : `if (typeof v !== 'object' || v === null || isProxy(v) || prototypeOf(v) !== recordPrototype) return false
    const k = keysOf(v)
    if (k.length !== ${parts.length}${parts.map((part, k) => ` || k[${k}] !== ${part}`).join('')}) return false`
  const code = `'use strict'; return (values, columns) => {
  ${parts.map((_, k) => `const c${k} = columns[${k}]`).join('\n  ')}
  for (let i = 0; i < values.length; i += 1) {
    const v = values[i]
    ${check}
    ${parts.map((part, k) => `c${k}.push(v[${part}])`).join('\n    ')}
  }
  return true
}`
  return generated(code, NAMES) as Gather
}

/** As plainScatter, many times as fast. */
export function generatedScatter(shape: Shape): Scatter {
  const parts = partsOf(shape)
  const items = parts.map((part, k) => (shape.kind === 'tuple' ? `c${k}[i]` : `${propertyName(part)}: c${k}[i]`))
  const made = shape.kind === 'tuple' ? `[${items.join(', ')}]` : `{ ${items.join(', ')} }`
  const code = `'use strict'; return (length, columns) => {
  ${parts.map((_, k) => `const c${k} = columns[${k}]`).join('\n  ')}
  const values = []
  for (let i = 0; i < length; i += 1) values.push(${made})
  return values
}`
  return generated(code, NAMES) as Scatter
}

/** Each key as a string literal, or each index as a number. JSON's string literals are JavaScript's. */
function partsOf(shape: Shape): string[] {
  return shape.kind === 'tuple'
    ? Array.from({ length: shape.length }, (_, k) => `${k}`)
    : shape.keys.map((key) => JSON.stringify(key))
}

/** In a literal, `"__proto__": x` sets the prototype, and `["__proto__"]: x` makes a property. */
function propertyName(literal: string): string {
  return literal === '"__proto__"' ? `[${literal}]` : literal
}

/** What the code calls is passed in by name; the checks of isRecord are inlined, to be compiled for its shape. */
const NAMES = {
  isPlainArray,
  isProxy: types.isProxy,
  prototypeOf: Object.getPrototypeOf,
  recordPrototype: Object.prototype,
  keysOf: Object.keys,
}
