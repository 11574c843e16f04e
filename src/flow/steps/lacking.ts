// After a source: reports fields that operators name, and rows that lack them.

import { SluiceError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'
import { ColumnBatch } from '../../connect/column-batch.ts'
import type { MakeStep } from '../step.ts'

export interface Needed {
  readonly fields: readonly string[]
  /** Whether all rows of the source have the same fields, so that one that a row lacks is in none. */
  readonly isTabular: boolean
  /** What the source reads, for people. */
  readonly title: string
}

/** After this many rows that all lack a field, a note says so, even for an unbounded source. */
const TOLD_AFTER = 1000

/**
 * Hands everything on. Rows of a table that lack a field end the run; of other sources they are counted, and a note says
 * at the end how many lacked it.
 */
export function lacking({ fields, isTabular, title }: Needed): MakeStep {
  return (next, context) => {
    const lacks = fields.map(() => 0)
    let rows = 0
    let sample: object = {}
    let isTold = false
    const tell = (): void => {
      for (const [at, field] of fields.entries()) {
        const count = lacks[at] as number
        if (count === 0) continue
        const many = count === rows ? `none of ${rows} rows has` : `${count} of ${rows} rows lack`
        context.noted(`${title}: ${many} the field ${field}${count === rows ? meant(field, sample) : ''}`)
      }
    }
    return {
      events(batch) {
        if (batch instanceof ColumnBatch && hasAll(batch, fields)) {
          rows += batch.length
          return next.events(batch)
        }
        const values = batch.values() as readonly (Record<string, unknown> | null | undefined)[]
        rows += values.length
        for (let at = 0; at < fields.length; at += 1) {
          const field = fields[at] as string
          let count = 0
          for (const row of values) {
            // Values that are not rows are left to the operators.
            if (row?.[field] !== undefined || typeof row !== 'object' || row === null || field in row) continue
            if (isTabular) throw noColumn(field, row, title)
            sample = row
            count += 1
          }
          lacks[at] = (lacks[at] as number) + count
        }
        if (!isTold && rows >= TOLD_AFTER && lacks.includes(rows)) {
          isTold = true
          tell()
        }
        next.events(batch)
      },
      watermark: (time) => next.watermark(time),
      end() {
        if (!isTold) tell()
      },
    }
  }
}

function hasAll(batch: ColumnBatch<unknown>, names: readonly string[]): boolean {
  return names.every((name) => batch.field(name) !== undefined)
}

function noColumn(field: string, row: object, title: string): SluiceError<'CONFIG_INVALID'> {
  const allowed = Object.keys(row).join(', ')
  const message = `Cannot read field ${field} of ${title}: it has no such column${meant(field, row)}; its columns are ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key: field, value: undefined, allowed })
}

/** The field that was meant, if one is near. */
function meant(field: string, row: object): string {
  const near = nearest(field, Object.keys(row))
  return near === undefined ? '' : `, did you mean ${near}?`
}
