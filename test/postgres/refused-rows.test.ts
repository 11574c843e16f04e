import { deepEqual, equal, ok } from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { SinkWriter } from '../../src/connect/sink.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'
import { checkpoint, events, openAt } from '../support/postgres-sink.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const skip = missingPostgres()

interface Wide {
  readonly id: number | string
  readonly code?: string
  readonly small?: number
  readonly amount?: number
  readonly must?: string | null
  readonly ref?: number
  readonly single?: number
  readonly doc?: unknown
}

const COLUMNS = {
  id: 'integer',
  code: 'text',
  small: 'integer',
  amount: 'integer',
  must: 'text',
  ref: 'integer',
  single: 'integer',
  doc: 'json',
} as const

/** Kind → what is wrong with a row of it, and the reason that its dead letter gives. */
const KINDS: Readonly<Record<string, readonly [fault: Partial<Wide>, reason: string]>> = {
  unique: [
    { single: -1 },
    'table t rejects the row: duplicate key value violates unique constraint "t_single_key" (23505, constraint t_single_key)',
  ],
  check: [
    { amount: -5 },
    'table t rejects the row: new row for relation "t" violates check constraint "t_amount_check" (23514, constraint t_amount_check)',
  ],
  'not null': [
    { must: null },
    'table t rejects the row: null value in column "must" of relation "t" violates not-null constraint (23502, column must)',
  ],
  type: [{ id: 'abc' }, 'column id takes exact integers of 64 bits: found "abc"'],
  'type of the server': [
    { doc: ['\0'] },
    'column doc cannot hold Array as JSON: a negative zero, a NUL or half of a surrogate pair in it would not come back',
  ],
  'too long': [{ code: 'toolong' }, 'column code takes at most 5 characters: found "toolong"'],
  'out of range': [{ small: 40_000 }, 'column small takes integers from -32768 to 32767: found 40000'],
  'foreign key, checked at the end by default': [
    { ref: 99 },
    'table t rejects the row: insert or update on table "t" violates foreign key constraint "t_ref_fkey" (23503, constraint t_ref_fkey)',
  ],
  trigger: [{ amount: 13 }, 'table t rejects the row: not thirteen (P0001)'],
  'trigger with a code of its own': [{ amount: 14 }, 'table t rejects the row: not fourteen (SL001)'],
}

const SCHEMA = `
  create table other (id bigint primary key);
  insert into other values (1);
  create table t (
    id bigint primary key, code varchar(5), small smallint, amount bigint check (amount >= 0), must text not null,
    ref bigint references other(id) deferrable initially deferred, single bigint unique, doc jsonb);
  insert into t (id, must, single) values (-1, 'here', -1);
  create function refuse() returns trigger language plpgsql as $$ begin
    if new.amount = 13 then raise exception 'not thirteen'; end if;
    if new.amount = 14 then raise exception 'not fourteen' using errcode = 'SL001'; end if;
    return new;
  end $$;
  create trigger refuse before insert on t for each row execute function refuse();`

const SIZE = 40
const PLACES: Readonly<Record<string, readonly number[]>> = {
  first: [0],
  middle: [17],
  last: [SIZE - 1],
  all: Array.from({ length: SIZE }, (_, i) => i),
}

describe('rows that a PostgreSQL table refuses', { skip }, () => {
  let server: PostgresServer
  let database = ''

  before(async () => {
    server = await PostgresServer.start()
    database = await server.createDatabase()
    await server.query(database, SCHEMA)
  })
  after(() => server.stop())

  for (const key of [undefined, ['id']]) {
    const way = key === undefined ? 'added' : 'overwritten by key'
    for (const [kind, [fault, reason]] of Object.entries(KINDS)) {
      it(`F10: are dead letters, and no others, wherever they are: ${kind} (${way})`, async () => {
        const writer = (await openAt<Wide>(server.url(database), {
          columns: COLUMNS,
          ...(key === undefined ? { key: undefined as never } : { key }),
          pipeline: `${kind} ${way}`,
        })) as SinkWriter<Wide>
        let epoch = 0
        for (const [place, bad] of Object.entries(PLACES)) {
          await server.query(database, 'delete from t where id >= 0')
          const batch = Array.from({ length: SIZE }, (_, id) => {
            const good = { id, code: 'abc', small: 7, amount: id * 100, must: 'x', ref: 1, single: id, doc: { id } }
            return bad.includes(id) ? { ...good, ...fault } : good
          })
          const letters = await writer.write(events(batch))
          deepEqual(
            letters.map(({ origin, step, reason }) => [origin.line - 1, step, reason]),
            bad.map((at) => [at, 'postgres', reason]),
            place,
          )
          epoch += 1
          await writer.commit(checkpoint(epoch))
          const found = await server.query(database, 'select id::int as id from t where id >= 0 order by id')
          deepEqual(
            found.map(({ id }) => id),
            batch.map((_, i) => i).filter((i) => !bad.includes(i)),
            place,
          )
        }
        await writer.close()
      })
    }
  }

  it('Q16: cost a few journeys to the server, with a key as without, however many rows are with them', async () => {
    await using proxy = await TcpProxy.start(server.port)
    const journeysOf = async (key: readonly string[] | undefined, bad: readonly number[]): Promise<number> => {
      const url = server.url(database).replace(`:${server.port}/`, `:${proxy.port}/`)
      const by = key === undefined ? { key: undefined as never } : { key }
      const writer = await openAt<Wide>(url, { columns: COLUMNS, pipeline: 'journeys', ...by })
      await server.query(database, 'delete from t where id >= 0')
      const before = proxy.journeys
      const batch = Array.from({ length: 2000 }, (_, id) => ({ id, must: 'x', amount: bad.includes(id) ? -1 : 100 }))
      equal((await writer.write(events<Wide>(batch))).length, bad.length)
      const journeys = proxy.journeys - before
      await writer.close()
      return journeys
    }
    const some = Array.from({ length: 20 }, (_, at) => at * 100)
    for (const key of [undefined, ['id']]) {
      const [good, bad] = [await journeysOf(key, []), await journeysOf(key, some)]
      ok(good > 0 && bad - good < 10, `${bad} journeys with refused rows, ${good} without`)
    }
  })

  it('are told from those that are good among many, wherever the chunks end', async () => {
    const writer = await openAt<Wide>(server.url(database), { columns: COLUMNS, pipeline: 'many' })
    await server.query(database, 'delete from t where id >= 0')
    const isBad = (id: number): boolean => id % 4999 === 0
    const batch = Array.from({ length: 30_000 }, (_, id) => ({ id, must: 'x', amount: isBad(id) ? -1 : id + 100 }))
    const letters = await writer.write(events<Wide>(batch))
    deepEqual(
      letters.map(({ origin }) => origin.line - 1),
      batch.map(({ id }) => id).filter(isBad),
    )
    await writer.commit(checkpoint(1))
    await writer.close()
    const [found] = await server.query(database, 'select count(*)::int as n from t where id >= 0')
    equal(found?.n, 30_000 - letters.length)
  })
})
