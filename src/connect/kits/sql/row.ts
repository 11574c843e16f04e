// What can be a row of a table.

import { describeValue } from '../../../base/check.ts'
import { isPromise } from '../../../base/promise.ts'
import { type Batch, deadLetterAt } from '../../batch.ts'
import type { DeadLetter } from '../../origin.ts'
import { faultOfStray } from './evolve.ts'

export type TableRow = Readonly<Record<string, unknown>>

/** Why a value cannot be a row, for people; undefined if it can. */
export function faultOfRow(value: unknown): string | undefined {
  if (isPromise(value)) return 'a row must be an object: found a promise, which the previous step did not await'
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined
  return `a row must be an object: found ${describeValue(value)}`
}

/**
 * Why a row does not fit a table with columns of other names: columns are not optional, so a row that lacks one is
 * rejected.
 *
 * @param present - how many of the known columns it has
 */
export function strayOf(
  row: TableRow,
  present: number,
  known: ReadonlySet<string>,
  fold: (name: string) => string = (name) => name,
): { readonly fault: string; readonly isMisfit: boolean } | undefined {
  const names = Object.keys(row)
  if (names.length <= present) return undefined
  const stray = names.find((name) => !known.has(name) && row[name] !== undefined && row[name] !== null)
  if (stray === undefined) return undefined
  const other = [...known].find((name) => fold(name) === fold(stray))
  if (other === undefined) return { fault: faultOfStray(stray, known.size), isMisfit: true }
  return { fault: `column ${describeValue(stray)} is ${describeValue(other)} in the rows before`, isMisfit: false }
}

/** A dead letter for each of a batch of rows that have no columns. */
export function refuseAll(rows: Batch, step: string): DeadLetter[] {
  return rows.values().map((row, at) => {
    return deadLetterAt(
      rows,
      at,
      step,
      isPromise(row) ? (faultOfRow(row) as string) : 'a row must have columns: found none',
    )
  })
}
