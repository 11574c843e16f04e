// What a sink without transactions must know to make its last epoch visible, in a table beside the checkpoint.

import type { Json } from '../../source.ts'
import { checkpointInvalid } from './stored-checkpoint.ts'
import { all, run, type Work } from './work.ts'

const TABLE = `
  create table if not exists sluice_notes (pipeline text primary key, epoch integer not null, note text not null)`

export function* createNotes(): Work<void> {
  yield* run(TABLE)
}

/** Written inside the transaction of the checkpoint. */
export function* saveNote(pipeline: string, epoch: number, note: Json): Work<void> {
  yield* run('insert or replace into sluice_notes values (?, ?, ?)', [pipeline, epoch, JSON.stringify(note)])
}

/**
 * The note of an epoch that is committed. One that was left behind by a checkpoint that is gone is of no epoch.
 *
 * @param epoch - of the checkpoint; 0 where there is none
 * @returns undefined before the first commit
 * @throws {SluiceError} CHECKPOINT_INVALID if there is none of that epoch, or it cannot be read
 */
export function* restoreNote(pipeline: string, epoch: number, hint: string): Work<Json | undefined> {
  if (epoch === 0) return undefined
  const [row] = yield* all('select epoch, note from sluice_notes where pipeline = ?', [pipeline])
  if (row?.epoch !== epoch) {
    const found = row === undefined ? 'there is no note of the sink' : `the note of the sink is of epoch ${row.epoch}`
    throw checkpointInvalid(pipeline, `it is of epoch ${epoch}, and ${found}`, hint)
  }
  try {
    return JSON.parse(String(row.note)) as Json
  } catch (error) {
    throw checkpointInvalid(pipeline, 'the note of the sink is not valid JSON', hint, error)
  }
}
