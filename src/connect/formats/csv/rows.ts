// Makes rows from fields: one object per record, all of one shape.

import type { ColumnType } from '../../column.ts'
import { Rejection } from '../../format.ts'
import { objectMaker } from '../../kits/rows/object-maker.ts'
import { type Convert, converterOf, MISFIT, misfit, type ValueRules } from './convert.ts'
import type { Fields } from './fields.ts'

export type Row = Record<string, unknown>

/** How the fields of one record are converted. */
export type MakeRow = (fields: Fields) => Row | Rejection

export interface RowOptions {
  /** The columns of the file. */
  readonly names: readonly string[]
  /** The columns wanted, by name in `names`; all of them, as text, if undefined. */
  readonly columns: readonly (readonly [name: string, type: ColumnType])[] | undefined
  readonly onRagged: OnRagged
  readonly values: ValueRules
  /** Whether fields may be null if all columns are text; otherwise they are empty strings. */
  readonly keepsNulls: boolean
}

/** What happens to a record with more or fewer fields than columns. */
export type OnRagged = 'dead' | 'pad' | 'cut'

/** A maker of rows. All `columns` are among the names. */
export function rowMaker({ names, columns, onRagged, values, keepsNulls }: RowOptions): MakeRow {
  const count = names.length
  const wrongCount = (found: number): Rejection =>
    new Rejection(`${found} field${found === 1 ? '' : 's'}, where there are ${count} columns`)
  const make = columns === undefined ? textRows(names, keepsNulls) : typedRows(names, columns, values)
  return (fields) => {
    if (fields.length === count) return make(fields)
    if (onRagged === 'dead' || !isMade(fields, count, onRagged === 'cut')) return wrongCount(fields.length)
    return make(fields)
  }
}

/** Adjusts the fields to the number of columns; false if that would lose one that is not empty and must be kept. */
function isMade(fields: Fields, count: number, isCut: boolean): boolean {
  while (fields.length < count) fields.push(null)
  while (fields.length > count && (isCut || (fields.at(-1) ?? '') === '')) fields.pop()
  return fields.length === count
}

function textRows(names: readonly string[], keepsNulls: boolean): (fields: Fields) => Row {
  const make = objectMaker(names)
  if (keepsNulls) return make
  return (fields) => {
    for (let at = 0; at < fields.length; at += 1) fields[at] ??= ''
    return make(fields)
  }
}

function typedRows(
  names: readonly string[],
  columns: readonly (readonly [name: string, type: ColumnType])[],
  rules: ValueRules,
): MakeRow {
  const make = objectMaker(columns.map(([name]) => name))
  const places = columns.map(([name]) => names.indexOf(name))
  const converters: Convert[] = columns.map(([name, type]) => converterOf(name, type, rules))
  return (fields) => {
    const values: unknown[] = []
    for (let column = 0; column < places.length; column += 1) {
      const text = fields[places[column] as number] ?? null
      const value =
        text === null || (text === '' && columns[column]?.[1] !== 'text') ? null : converters[column]?.(text)
      if (value === MISFIT) {
        const [name, type] = columns[column] as readonly [string, ColumnType]
        return misfit(name, type, rules, text as string)
      }
      if (value instanceof Rejection) return value
      values.push(value)
    }
    return make(values)
  }
}
