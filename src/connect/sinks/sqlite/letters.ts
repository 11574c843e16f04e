// The table of dead letters: what could not be loaded, kept with its raw form, its place and the reason.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Columns } from '../../column.ts'
import type { DeadLetter } from '../../origin.ts'
import type { KeptLetter } from '../../sink.ts'
import { quoteName } from '../../sql/name.ts'
import { shapeOf } from './shape.ts'
import { ensureTable, upsert } from './table.ts'

const COLUMNS: Columns = {
  pipeline: 'text',
  file: 'text',
  line: 'integer',
  offset: 'integer',
  step: 'text',
  part: 'integer',
  reason: 'text',
  raw: 'text',
  epoch: 'integer',
  time: 'time',
}
const KEY = ['pipeline', 'file', 'offset', 'step', 'part']

export interface Burial {
  readonly pipeline: string
  readonly epoch: number
  /** When, in epoch milliseconds. */
  readonly atMs: number
}

/**
 * Writes dead letters inside the transaction that its caller has begun. A replay meets the same key and overwrites:
 * a letter is there once, however often its record was read.
 */
export class LetterTable {
  readonly #insert: StatementSync
  readonly #delete: StatementSync

  /** Makes the table where it is missing. */
  constructor(database: DatabaseSync, path: string, name: string) {
    this.#insert = database.prepare(upsert(ensureTable({ database, path }, shapeOf(name, COLUMNS, KEY)), 1))
    this.#delete = database.prepare(
      `delete from ${quoteName(name)} where pipeline = ? and file = ? and "offset" = ? and step = ? and part = ?`,
    )
  }

  bury(letters: readonly DeadLetter[], { pipeline, epoch, atMs }: Burial): void {
    for (const letter of letters) {
      const { origin, step, reason } = letter
      const { source, line, offset, raw, part = 0 } = origin
      this.#insert.run(pipeline, source, line, offset, step, part, reason, raw, epoch, atMs)
    }
  }

  /** Takes letters out again. */
  exhume(letters: readonly KeptLetter[], pipeline: string): void {
    for (const { origin, step, part } of letters) this.#delete.run(pipeline, origin.source, origin.offset, step, part)
  }
}
