// What a sink without transactions must know to make its last epoch visible, in a table beside the checkpoint.

import type { DatabaseSync } from 'node:sqlite'
import type { Json } from '../../source.ts'
import { checkpointInvalid } from '../../stored-checkpoint.ts'

const TABLE = `
  create table if not exists sluice_notes (pipeline text primary key, epoch integer not null, note text not null);
`

/** The note of one pipeline in one database. Written inside the transaction of its checkpoint. */
export class NoteTable {
  readonly #database: DatabaseSync
  readonly #pipeline: string

  constructor(database: DatabaseSync, pipeline: string) {
    this.#database = database
    this.#pipeline = pipeline
  }

  create(): void {
    this.#database.exec(TABLE)
  }

  save(epoch: number, note: Json): void {
    const sql = 'insert or replace into sluice_notes values (?, ?, ?)'
    this.#database.prepare(sql).run(this.#pipeline, epoch, JSON.stringify(note))
  }

  /**
   * The note of an epoch that is committed. One that was left behind by a checkpoint that is gone is of no epoch.
   *
   * @param epoch - of the checkpoint; 0 where there is none
   * @returns undefined before the first commit
   * @throws {SluiceError} CHECKPOINT_INVALID if there is none of that epoch, or it cannot be read
   */
  restore(epoch: number, hint: string): Json | undefined {
    if (epoch === 0) return undefined
    const sql = 'select epoch, note from sluice_notes where pipeline = ?'
    const row = this.#database.prepare(sql).get(this.#pipeline)
    if (row?.epoch !== epoch) {
      const found = row === undefined ? 'there is no note of the sink' : `the note of the sink is of epoch ${row.epoch}`
      throw checkpointInvalid(this.#pipeline, `it is of epoch ${epoch}, and ${found}`, hint)
    }
    try {
      return JSON.parse(String(row.note)) as Json
    } catch (error) {
      throw checkpointInvalid(this.#pipeline, 'the note of the sink is no JSON', hint, error)
    }
  }
}
