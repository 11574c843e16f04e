// What can be a row of a table.

import { describeValue } from '../../base/check.ts'
import { isPromise } from '../../base/promise.ts'
import { type Batch, letterAt } from '../batch.ts'
import type { DeadLetter } from '../origin.ts'

export type TableRow = Readonly<Record<string, unknown>>

/** Why a value cannot be a row, for a person to read; undefined if it can. */
export function faultOfRow(value: unknown): string | undefined {
  if (isPromise(value)) return 'a row is an object: found a promise, which the step before did not wait for'
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined
  return `a row is an object: found ${describeValue(value)}`
}

/** A letter for each of a batch of rows of which none has a column. */
export function refuseAll(rows: Batch, step: string): DeadLetter[] {
  return rows.values().map((row, at) => {
    return letterAt(rows, at, step, isPromise(row) ? (faultOfRow(row) as string) : 'a row has columns: found none')
  })
}
