import { deepEqual, equal, rejects } from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { batchOf } from '../../src/connect/batch.ts'
import { deadLetter } from '../../src/connect/origin.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'
import { checkpoint, events, failsWith, type Opening, openAt, type Row, range, rows } from '../support/postgres-sink.ts'
import { until } from '../support/until.ts'

const skip = missingPostgres()
let server: PostgresServer
let database = ''

describe('PostgresWriter', { skip }, () => {
  before(async () => {
    server = await PostgresServer.start()
  })
  beforeEach(async () => {
    database = await server.createDatabase()
  })
  after(() => server.stop())

  const open = <R = Row>(opening: Opening = {}) => openAt<R>(server.url(database), opening)
  const query = (sql: string) => server.query(database, sql)
  const idsOf = async () => (await query('select id from t order by id')).map(({ id }) => Number(id))

  describe('commits', () => {
    it('keep dead letters with place, step, reason and raw form, each once', async () => {
      const origin = { source: 'a.log', line: 4, offset: 40, raw: 'raw \0 and \ud800' }
      const letters = [deadLetter(origin, 'map', 'first'), deadLetter({ ...origin, part: 1 }, 'map', 'second')]
      for (const epoch of [1, 2]) {
        const writer = await open()
        await writer.writeDeadLetters(letters)
        if (epoch === 2) await writer.commit(checkpoint(1))
        await writer.close()
      }
      const found = await query('select * from dead_letters order by part')
      deepEqual(
        found.map(({ time, ...rest }) => rest),
        ['first', 'second'].map((reason, part) => {
          const raw = 'raw \\x00 and \\ud800'
          return {
            pipeline: 'test',
            file: 'a.log',
            line: '4',
            offset: '40',
            step: 'map',
            part: String(part),
            reason,
            raw,
            epoch: '1',
          }
        }),
      )
    })

    it('are durable also where the server is told not to make them so', async () => {
      await query(`alter database ${database} set synchronous_commit = off`)
      const writer = await open()
      await query(
        'create function said() returns trigger language plpgsql as $$ begin new.text = current_setting($q$synchronous_commit$q$); return new; end $$',
      )
      await query('create trigger said before insert on t for each row execute function said()')
      await writer.write(rows(1))
      await writer.commit(checkpoint(1))
      await writer.close()
      deepEqual(await query('select text from t'), [{ text: 'on' }])
    })
  })

  describe('rows', () => {
    it('are added where no key is named', async () => {
      for (const epoch of [1, 2]) {
        const writer = await openAt<Row>(server.url(database), { key: undefined as never })
        deepEqual(await writer.write(rows(1, 1)), [])
        await writer.commit(checkpoint(epoch))
        await writer.close()
      }
      deepEqual(await idsOf(), [1, 1, 1, 1])
    })

    it('overwrite those of the same key, the last one last, also within one batch', async () => {
      const writer = await open()
      await writer.write(
        events([
          { id: 1, text: 'a' },
          { id: 2, text: 'b' },
          { id: 1, text: 'c' },
        ]),
      )
      await writer.write(
        events([
          { id: 2, text: 'd' },
          { id: 3, text: 'e' },
          { id: 3, text: null },
        ]),
      )
      await writer.commit(checkpoint(1))
      await writer.close()
      deepEqual(await query('select id::int, text from t order by id'), [
        { id: 1, text: 'c' },
        { id: 2, text: 'd' },
        { id: 3, text: null },
      ])
    })

    it('that are all key are there once', async () => {
      const writer = await open({ columns: { id: 'integer' } })
      deepEqual(await writer.write(rows(1, 2, 1)), [])
      deepEqual(await writer.write(rows(2)), [])
      await writer.commit(checkpoint(1))
      await writer.close()
      deepEqual(await idsOf(), [1, 2])
    })

    it('come in any number, of any size', async () => {
      const writer = await open()
      const texts = [10, 1_000_000, 3_000_000, 5].map((length, id) => ({ id, text: 'x'.repeat(length) }))
      await writer.write(events(texts))
      await writer.write(range(100, 45_100))
      await writer.write(batchOf([]))
      await writer.commit(checkpoint(1))
      await writer.close()
      const found = await query('select count(*)::int as n, sum(length(text))::int as size from t where id < 100')
      deepEqual(found, [{ n: 4, size: 4_000_015 }])
      deepEqual(await query('select count(*)::int as n from t'), [{ n: 45_004 }])
    })

    it('give the table its columns where nobody has named them', async () => {
      const writer = await open<unknown>({ columns: undefined as never, key: ['a'] })
      const first = { a: 1, b: 'x', c: 1.5, d: true, e: new Date(0), f: [1, { g: 2 }], h: null }
      deepEqual(await writer.write(events<unknown>([first, { a: 2, h: 'later' }])), [])
      deepEqual(await writer.write(events<unknown>([{ a: 3, other: 1 }])), [])
      await writer.commit(checkpoint(1))
      await writer.close()
      deepEqual(
        (
          await query(`select attname as name, format_type(atttypid, -1) as type from pg_attribute
          where attrelid = 't'::regclass and attnum > 0 order by attnum`)
        ).map(({ name, type }) => `${name} ${type}`),
        [
          'a bigint',
          'b text',
          'c double precision',
          'd boolean',
          'e timestamp with time zone',
          'f jsonb',
          'h text',
          'other bigint',
        ],
      )
    })

    it('without any column, or that are no rows, are refused', async () => {
      const writer = await open<unknown>({ columns: undefined as never, key: ['id'] })
      const first = await writer.write(events<unknown>([1, 'x', null, [], {}, Promise.resolve()]))
      equal(first.length, 6)
      deepEqual(await writer.write(events<unknown>([{ id: 1 }])), [])
      const letters = await writer.write(
        events<unknown>([
          5,
          Promise.resolve(),
          { id: null },
          {
            get id() {
              throw new Error('boo')
            },
          },
        ]),
      )
      deepEqual(
        letters.map(({ reason }) => reason),
        [
          'a row must be an object: found 5',
          'a row must be an object: found a promise, which the previous step did not await',
          'column id is part of the key: found null',
          'boo',
        ],
      )
      await writer.commit(checkpoint(1))
      await writer.close()
      deepEqual(await idsOf(), [1])
    })
  })

  describe('checkpoints', () => {
    const breaks: Readonly<Record<string, RegExp>> = {
      'update sluice_checkpoints set totals = left(totals, 9)': /JSON/,
      'update sluice_store set version = 4': /it is in tables of version 4, this Sluice reads 3/,
      'update sluice_checkpoints set epoch = 9223372036854775807': /its epoch is 9223372036854775807/,
      'delete from sluice_positions': /it has 1 splits, and there are positions of 0/,
      'delete from sluice_checkpoints': /there are positions but no checkpoint/,
      'update sluice_checkpoints set parts = 1': /it has 1 state parts, and there are 0/,
    }
    for (const [sql, found] of Object.entries(breaks)) {
      it(`are not passed over when they are broken: ${sql}`, async () => {
        const writer = await open()
        await writer.commit(checkpoint(1))
        await writer.close()
        await query(sql)
        await rejects(open(), failsWith('CHECKPOINT_INVALID', found))
        const held = await query('select pid from sluice_leases')
        deepEqual(held, [{ pid: 0 }])
      })
    }
  })

  describe('an aborted run', () => {
    it('waits for nothing', async () => {
      const aborting = new AbortController()
      const writer = await open({ signal: aborting.signal })
      await writer.write(rows(1))
      await writer.commit(checkpoint(1))
      const other = await open({ pipeline: 'other' })
      await other.write(rows(1))
      const ended = rejects(async () => await writer.write(rows(1)), { message: 'enough' })
      const waiting = async () => (await query('select 1 from pg_locks where not granted')).length
      await until(async () => (await waiting()) > 0, 'a write that waits for the other one')
      aborting.abort(new Error('enough'))
      await ended
      await writer.close()
      await other.close()
    })
  })
})
