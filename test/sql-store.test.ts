import { deepEqual, equal, rejects } from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { deadLetter } from '../src/connect/origin.ts'
import { NO_TOTALS } from '../src/connect/totals.ts'
import { missingPostgres } from './support/postgres.ts'
import { type SqlSink, SqlSinks } from './support/sql-sinks.ts'

/** The tables as version 0.1.0 made them before they had one store. */
const TABLES = {
  SQLite: `
    create table sluice_leases (
      pipeline text primary key, token integer not null, pid integer not null, host text not null, owner text not null,
      since integer not null, renewed integer not null);
    create table sluice_checkpoints (
      pipeline text primary key, version integer not null, epoch integer not null, totals text not null,
      splits integer not null, committed_at integer not null, committed_by text, parts integer);
    create table sluice_positions (
      pipeline text not null, split text not null, position text not null, primary key (pipeline, split)
    ) without rowid;
    create table sluice_states (
      pipeline text not null, part text not null, state blob not null, primary key (pipeline, part));
    create table "dead_letters" (/* made by Sluice */ "pipeline" text not null, "file" text not null, "line" integer,
      "offset" integer not null, "step" text not null, "part" integer not null, "reason" text, "raw" text,
      "epoch" integer, "time" integer, primary key ("pipeline", "file", "offset", "step", "part"))`,
  PostgreSQL: `
    create table sluice_leases (
      pipeline text primary key, token bigint not null, pid integer not null, host text not null, owner text not null,
      since timestamp with time zone not null, renewed timestamp with time zone not null, backend text);
    create table sluice_checkpoints (
      pipeline text primary key, version integer not null, epoch bigint not null, totals text not null,
      splits integer not null, parts integer not null, committed_at timestamp with time zone not null,
      committed_by text);
    create table sluice_positions (
      pipeline text not null, split text not null, position text not null, primary key (pipeline, split));
    create table sluice_states (
      pipeline text not null, part text not null, state bytea not null, primary key (pipeline, part));
    create table dead_letters (
      pipeline text not null, file text not null, line bigint, "offset" bigint not null, step text not null,
      part bigint not null, reason text, raw text, epoch bigint, time timestamp with time zone,
      primary key (pipeline, file, "offset", step, part));
    comment on table dead_letters is 'made by Sluice'`,
  DuckDB: `
    create table sluice_checkpoints (pipeline varchar primary key, version bigint, epoch bigint,
      totals varchar, splits bigint, parts bigint, committed_at bigint, committed_by varchar);
    create table sluice_positions (
      pipeline varchar, split varchar, position varchar, primary key (pipeline, split));
    create table sluice_states (pipeline varchar, part varchar, state blob, primary key (pipeline, part));
    create table sluice_leases (pipeline varchar primary key, token bigint, pid bigint, host varchar,
      owner varchar, since bigint, renewed bigint);
    create table dead_letters (pipeline varchar, file varchar, line bigint, "offset" bigint, step varchar,
      part bigint, reason varchar, raw varchar, epoch bigint, "time" timestamp,
      primary key (pipeline, file, "offset", step, part))`,
} as const

const TIMES = {
  SQLite: ['1700000000000', '1700000000000'],
  PostgreSQL: ['to_timestamp(1700000000)', 'to_timestamp(1700000000)'],
  DuckDB: ['1700000000000', "timestamp '2023-11-14 22:13:20'"],
} as const

const TOTALS = { ...NO_TOTALS, read: 8, loaded: 7, dead: 1 }

/** What a run left that committed three epochs and has let go of its lease. */
function rowsOf(name: SqlSink['name']): string {
  const [moment, letterTime] = TIMES[name]
  const state = name === 'PostgreSQL' ? "'\\x0102'" : name === 'DuckDB' ? "unhex('0102')" : "x'0102'"
  return `
    insert into sluice_leases (pipeline, token, pid, host, owner, since, renewed)
      values ('test', 5, 0, 'elsewhere', 'one', ${moment}, ${moment});
    insert into sluice_checkpoints (pipeline, version, epoch, totals, splits, parts, committed_at, committed_by)
      values ('test', 2, 3, '${JSON.stringify(TOTALS)}', 1, 1, ${moment}, 'process 1 on elsewhere');
    insert into sluice_positions values ('test', 'a.log', '80');
    insert into sluice_states values ('test', 'sum', ${state});
    insert into dead_letters values ('test', 'a.log', 4, 30, 'map', 0, 'no', 'x', 2, ${letterTime})`
}

describe('what is kept in SQL databases', { skip: missingPostgres() }, () => {
  let sinks: SqlSinks
  before(async () => {
    sinks = await SqlSinks.start()
  })
  after(() => sinks.stop())

  for (const name of ['SQLite', 'PostgreSQL', 'DuckDB'] as const) {
    it(`Q17: is gone on from as the version before left it (${name})`, async () => {
      const at = await {
        SQLite: () => sinks.sqlite(),
        PostgreSQL: () => sinks.postgres(),
        DuckDB: () => sinks.duckdb(),
      }[name]()
      await at.execute(TABLES[name])
      await at.execute(rowsOf(name))
      const sink = at.sink({ columns: { id: 'integer' }, key: ['id'] })
      const writer = await sink.open({ pipeline: 'test' })
      deepEqual(writer.checkpoint, {
        epoch: 3,
        positions: new Map([['a.log', 80]]),
        totals: TOTALS,
        states: new Map([['sum', Uint8Array.of(1, 2)]]),
      })
      await writer.bury([deadLetter({ source: 'a.log', line: 9, offset: 90, raw: 'y' }, 'map', 'no')])
      const states = new Map([['sum', new Uint8Array()]])
      await writer.commit({ epoch: 4, positions: new Map([['b.log', 1]]), totals: TOTALS, states })
      await rejects(async () => await sink.open({ pipeline: 'test' }), { code: 'PIPELINE_HELD' })
      await writer.close()
      const inspector = await sink.inspect?.('test')
      const found = await inspector?.checkpoint()
      deepEqual(
        [found?.epoch, found?.positions, found?.states.size, found?.holder],
        [
          4,
          new Map([
            ['a.log', 80],
            ['b.log', 1],
          ]),
          0,
          undefined,
        ],
      )
      const letters = (await inspector?.letters({ limit: 9 })) ?? []
      deepEqual(
        letters.map(({ origin, epoch }) => [origin.offset, epoch]),
        [
          [30, 2],
          [90, 4],
        ],
      )
      equal(letters[0]?.timeMs, 1_700_000_000_000)
      await inspector?.close()
      equal((await at.read('select token from sluice_leases'))[0]?.token, '6')
    })
  }
})
