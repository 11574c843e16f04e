import { deepEqual, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { isSluiceError } from '../../../base/errors.ts'
import { rowsIn } from '../../../testing/rows-in.ts'
import { type DeadLetter, deadLetter } from '../../origin.ts'
import { NO_TOTALS } from '../../totals.ts'
import { sqliteSink } from '../sink.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-sqlite-'))
  path = join(folder, 'out.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

function letter(offset: number, step: string, reason: string, raw = `raw ${offset}`, part = 0): DeadLetter {
  return deadLetter({ source: 'a.log', line: offset + 1, offset, raw, part, stride: 10 }, step, reason)
}

async function writeDeadLetters(letters: readonly DeadLetter[], pipeline = 'test'): Promise<void> {
  const writer = await sqliteSink<unknown>(path, { table: 't' }).open({ pipeline })
  await writer.writeDeadLetters(letters)
  const epoch = (writer.checkpoint?.epoch ?? 0) + 1
  await writer.commit({ epoch, positions: new Map(), states: new Map(), totals: NO_TOTALS })
  await writer.close()
}

const query = (sql: string) => rowsIn(path, sql)

describe('the dead letters of sqlite', () => {
  it('are kept with place, step, reason, raw form and epoch', async () => {
    await writeDeadLetters([letter(812, 'access-log', 'no host', 'raw \0 \u001b[2J text')])
    const columns = 'pipeline, file, line, offset, step, part, reason, raw, epoch, time > 1600000000000 as isRecent'
    deepEqual(query(`select ${columns} from dead_letters`), [
      {
        pipeline: 'test',
        file: 'a.log',
        line: 813,
        offset: 812,
        step: 'access-log',
        part: 0,
        reason: 'no host',
        raw: 'raw \0 \u001b[2J text',
        epoch: 1,
        isRecent: 1,
      },
    ])
  })

  it('have a table from the start', async () => {
    const writer = await sqliteSink<unknown>(path, { table: 't' }).open({ pipeline: 'test' })
    await writer.close()
    deepEqual(query('select count(*) as n from dead_letters'), [{ n: 0 }])
  })

  it('are there once however often their record is read, with the last reason', async () => {
    await writeDeadLetters([letter(1, 'map', 'first'), letter(2, 'map', 'second')])
    await writeDeadLetters([letter(1, 'map', 'first, later'), letter(2, 'map', 'second')])
    deepEqual(query('select offset, reason, epoch from dead_letters order by offset'), [
      { offset: 1, reason: 'first, later', epoch: 2 },
      { offset: 2, reason: 'second', epoch: 2 },
    ])
  })

  it('C60: are each kept where one record or one step has several', async () => {
    await writeDeadLetters([letter(1, 'sqlite', 'a'), letter(1, 'map', 'c')])
    await writeDeadLetters([letter(1, 'sqlite', 'b', '', 1), letter(2, 'map', 'd')])
    deepEqual(query('select offset, step, part, reason from dead_letters order by rowid'), [
      { offset: 1, step: 'sqlite', part: 0, reason: 'a' },
      { offset: 1, step: 'map', part: 0, reason: 'c' },
      { offset: 1, step: 'sqlite', part: 1, reason: 'b' },
      { offset: 2, step: 'map', part: 0, reason: 'd' },
    ])
  })

  it('of two pipelines do not overwrite each other', async () => {
    await writeDeadLetters([letter(1, 'map', 'a')], 'one')
    await writeDeadLetters([letter(1, 'map', 'b')], 'two')
    deepEqual(query('select pipeline, reason from dead_letters order by pipeline'), [
      { pipeline: 'one', reason: 'a' },
      { pipeline: 'two', reason: 'b' },
    ])
  })

  it('are not put into a table of another kind', async () => {
    const database = new DatabaseSync(path)
    database.exec('create table dead_letters (name text)')
    database.close()
    await rejects(
      writeDeadLetters([]),
      (error) => isSluiceError(error, 'SINK_MISMATCH') && error.details.table === 'dead_letters',
    )
  })
})
