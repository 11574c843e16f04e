// Makes row objects of columns.

import { generated } from '../../../base/generated.ts'
import type { MakeRows } from '../../column-batch.ts'
import { GENERATED_COLUMNS, literalOf } from './object-maker.ts'
import { define } from './values.ts'

type Row = Record<string, unknown>

const MADE = new Map<string, MakeRows<Row>>()
/** Shapes that are remembered. */
const MOST_MADE = 100

/** Makes rows with these fields, in this order; `__proto__` is a name like any other. */
export function rowsMaker(names: readonly string[]): MakeRows<Row> {
  const shape = JSON.stringify(names)
  const known = MADE.get(shape)
  if (known !== undefined) return known
  const make = rowsMakerGenerated(names) ?? rowsMakerPlain(names)
  if (MADE.size === MOST_MADE) MADE.clear()
  MADE.set(shape, make)
  return make
}

/** The plain version. */
export function rowsMakerPlain(names: readonly string[]): MakeRows<Row> {
  return (columns, from, to, rows) =>
    Array.from({ length: to - from }, (_, i) => {
      const row: Row = {}
      const at = rows?.[from + i] ?? from + i
      for (const [place, name] of names.entries()) define(row, name, columns[place]?.[at])
      return row
    })
}

/** The fast version; undefined if generated code is not allowed. */
export function rowsMakerGenerated(names: readonly string[]): MakeRows<Row> | undefined {
  if (names.length > GENERATED_COLUMNS) return undefined
  const parts = names.map((name, place) => `${literalOf(name)}: c${place}[at]`)
  const columns = names.map((_, place) => `c${place} = columns[${place}]`).join(', ')
  const body = `return (columns, from, to, rows) => {
    const made = []
    ${columns === '' ? '' : `const ${columns}`}
    for (let i = from; i < to; i += 1) {
      const at = rows === undefined ? i : rows[i]
      made.push({ ${parts.join(', ')} })
    }
    return made
  }`
  return generated<MakeRows<Row>>(body, {})
}
