// Rows as returned by a read: values, and those that could not be represented, with their origins.

import { batchOf, type ReadBatch, type RejectedRecord } from '../../batch.ts'
import { Rejection } from '../../format.ts'
import { deadLetter, type Origin } from '../../origin.ts'

export interface RowReading<Raw, Row> {
  /** The step of dead letters. */
  readonly step: string
  readonly make: (raw: Raw) => Row | Rejection
  /** The origin of a row, by its index among these. */
  readonly originOf: (raw: Raw, index: number) => Origin
}

/** Makes values from rows; origins are computed on demand. */
export function readRows<Raw, Row>(
  rows: readonly Raw[],
  { step, make, originOf }: RowReading<Raw, Row>,
): ReadBatch<Row> {
  const values: Row[] = []
  const rejected: RejectedRecord[] = []
  /** Which row each value was made from, once one was rejected. */
  let of: number[] | undefined
  for (const [index, row] of rows.entries()) {
    const value = make(row)
    if (value instanceof Rejection) {
      of ??= Array.from(values.keys())
      rejected.push({ at: values.length, letter: deadLetter(originOf(row, index), step, value.reason) })
    } else {
      of?.push(index)
      values.push(value)
    }
  }
  const rowOf = (index: number) => of?.[index] ?? index
  return { events: batchOf(values, { at: (index) => originOf(rows[rowOf(index)] as Raw, rowOf(index)) }), rejected }
}
