import { deepEqual, equal, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { checkpointed } from '../src/connect/checkpointed/sink.ts'
import { deadLetter } from '../src/connect/origin.ts'
import type { TwoPhaseSink } from '../src/connect/sink.ts'
import { NO_TOTALS } from '../src/connect/totals.ts'
import { missingPostgres } from './support/postgres.ts'
import { type SqlSink, SqlSinks } from './support/sql-sinks.ts'

/** The tables as version 0.1.0 made them before they had one store. */
const SEPARATE = {
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

/** As one store made them for all, before there were shards. */
const WITHOUT_SHARDS = {
  SQLite: oneStore('blob', 'integer', SEPARATE.SQLite),
  PostgreSQL: oneStore('bytea', 'timestamp with time zone', SEPARATE.PostgreSQL, ', backend text'),
  DuckDB: oneStore('blob', 'bigint', SEPARATE.DuckDB),
}

function oneStore(bytes: string, time: string, separate: string, backend = ''): string {
  return `
    create table sluice_leases (
      pipeline text primary key, token bigint not null, pid integer not null, host text not null, owner text not null,
      since ${time} not null, renewed ${time} not null${backend});
    create table sluice_checkpoints (
      pipeline text primary key, version integer not null, epoch bigint not null, totals text not null,
      splits integer not null, parts integer, committed_at ${time} not null, committed_by text);
    create table sluice_positions (
      pipeline text not null, split text not null, position text not null, primary key (pipeline, split));
    create table sluice_states (
      pipeline text not null, part text not null, state ${bytes} not null, primary key (pipeline, part));
    ${separate.slice(separate.search(/create table "?dead_letters/))}`
}

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

  const at = async (name: SqlSink['name']): Promise<SqlSink> => {
    return name === 'SQLite' ? sinks.sqlite() : name === 'DuckDB' ? sinks.duckdb() : await sinks.postgres()
  }

  for (const name of ['SQLite', 'PostgreSQL', 'DuckDB'] as const) {
    for (const [tables, made] of Object.entries({ 'tables of each database': SEPARATE, 'one store': WITHOUT_SHARDS })) {
      it(`Q17, Q19: is gone on from as versions with ${tables} left it (${name})`, async () => {
        const store = await at(name)
        await store.execute(made[name])
        await store.execute(rowsOf(name))
        await goOn(store)
        equal((await store.read('select version from sluice_store'))[0]?.version, '3')
        const left = await store.read('select * from sluice_checkpoints')
        deepEqual([left.length, left[0]?.shard, 'version' in (left[0] ?? {})], [1, '0/1', false])
      })
    }

    it(`Q19: is looked at and reset as earlier versions left it, and not changed by that (${name})`, async () => {
      const store = await at(name)
      await store.execute(SEPARATE[name])
      await store.execute(rowsOf(name))
      const inspector = await store.sink().inspect?.('test')
      const found = await inspector?.checkpoint()
      deepEqual([found?.epoch, found?.totals, found?.positions], [3, TOTALS, new Map([['a.log', 80]])])
      equal((await inspector?.deadLetters({ limit: 9 }))?.length, 1)
      await inspector?.reset({ deadLetters: true })
      equal(await inspector?.checkpoint(), undefined)
      await inspector?.close()
      deepEqual(await store.read('select version from sluice_checkpoints'), [])
      await rejects(store.read('select * from sluice_store'))
    })

    it(`Q19: is not changed while a run of an earlier version goes on (${name})`, async () => {
      const store = await at(name)
      await store.execute(WITHOUT_SHARDS[name])
      await store.execute(rowsOf(name))
      const now = name === 'PostgreSQL' ? 'clock_timestamp()' : String(Date.now())
      await store.execute(`update sluice_leases set pid = 7, pipeline = 'other', renewed = ${now}`)
      await rejects(async () => await store.sink().open({ pipeline: 'test' }), {
        code: 'PIPELINE_HELD',
        message: /earlier Sluice, of which a run still holds other: process 7 on elsewhere, since /,
      })
      deepEqual(await store.read('select version from sluice_checkpoints'), [{ version: '2' }])
      await store.execute("update sluice_leases set pid = 0, pipeline = 'test'")
      await goOn(store)
    })

    it(`Q19: is refused as a later version left it (${name})`, async () => {
      const store = await at(name)
      await (await store.sink().open({ pipeline: 'test' })).close()
      await store.execute('update sluice_store set version = 4')
      const { open, dryRun, inspect } = store.sink()
      const inspector = await inspect?.('test')
      for (const use of [
        () => open({ pipeline: 'test' }),
        () => dryRun?.({ pipeline: 'test' }),
        () => inspector?.checkpoint(),
        () => inspector?.reset({ deadLetters: false }),
      ]) {
        await rejects(async () => await use(), {
          code: 'CHECKPOINT_INVALID',
          message:
            /it is in tables of version 4, this Sluice reads 3 \(use the Sluice that made them, or a later one\)$/,
        })
      }
      await inspector?.close()
    })

    it(`Q19: is changed as a whole, or not at all (${name})`, async () => {
      const store = await at(name)
      await store.execute(WITHOUT_SHARDS[name])
      await store.execute(rowsOf(name))
      await store.execute('alter table sluice_states rename column part to place')
      await rejects(async () => await store.sink().open({ pipeline: 'test' }), { code: 'SINK_MISMATCH' })
      deepEqual(await store.read('select version, epoch from sluice_checkpoints'), [{ version: '2', epoch: '3' }])
      equal((await store.read('select token from sluice_leases'))[0]?.token, '5')
      await store.execute('alter table sluice_states rename column place to part')
      await goOn(store)
    })
  }

  it('Q19: is gone on from as versions without states, leases and the names of who committed left it', async () => {
    const store = sinks.sqlite()
    await store.execute(`
      create table sluice_checkpoints (
        pipeline text primary key, version integer not null, epoch integer not null, totals text not null,
        splits integer not null, committed_at integer not null);
      insert into sluice_checkpoints values ('test', 1, 3, '${JSON.stringify(TOTALS)}', 1, 1700000000000);
      create table sluice_positions (
        pipeline text not null, split text not null, position text not null, primary key (pipeline, split)
      ) without rowid;
      insert into sluice_positions values ('test', 'a.log', '80')`)
    const writer = await store.sink().open({ pipeline: 'test' })
    const positions = new Map([['a.log', 80]])
    deepEqual(writer.checkpoint, { epoch: 3, positions, totals: TOTALS, states: new Map() })
    await writer.commit({ epoch: 4, positions, totals: TOTALS, states: new Map() })
    await writer.close()
    deepEqual(await store.read('select epoch, splits, parts from sluice_checkpoints'), [
      { epoch: '4', splits: '1', parts: '0' },
    ])
  })

  it('Q19: is gone on from with what earlier versions noted for sinks without transactions', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-notes-'))
    const store = join(folder, 'state.db')
    const database = new DatabaseSync(store)
    database.exec(SEPARATE.SQLite)
    database.exec(rowsOf('SQLite'))
    database.exec(`create table sluice_notes (pipeline text primary key, epoch integer not null, note text not null);
      insert into sluice_notes values ('test', 3, '{"files":2}'), ('gone', 1, '{}')`)
    database.close()
    const finished: unknown[] = []
    const plain: TwoPhaseSink<unknown> = {
      kind: 'plain',
      title: 'plain',
      guarantee: 'exactly-once',
      open: async () => ({
        write: () => [],
        prepare: () => null,
        publish: (note) => void finished.push(note),
        async close() {},
      }),
    }
    const writer = await checkpointed(plain, { store }).open({ pipeline: 'test' })
    await writer.close()
    deepEqual(finished, [{ files: 2 }])
    rmSync(folder, { recursive: true })
  })
})

/** Goes on from three epochs, and commits a fourth. */
async function goOn(store: SqlSink): Promise<void> {
  const sink = store.sink({ columns: { id: 'integer' }, key: ['id'] })
  // A dry run changes nothing that stays.
  const dry = await sink.dryRun?.({ pipeline: 'test' })
  equal(dry?.checkpoint?.epoch, 3)
  await dry?.close()
  await rejects(store.read('select * from sluice_store'))
  const writer = await sink.open({ pipeline: 'test' })
  deepEqual(writer.checkpoint, {
    epoch: 3,
    positions: new Map([['a.log', 80]]),
    totals: TOTALS,
    states: new Map([['sum', Uint8Array.of(1, 2)]]),
  })
  await writer.writeDeadLetters([deadLetter({ source: 'a.log', line: 9, offset: 90, raw: 'y' }, 'map', 'no')])
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
  const letters = (await inspector?.deadLetters({ limit: 9 })) ?? []
  deepEqual(
    letters.map(({ origin, epoch }) => [origin.offset, epoch]),
    [
      [30, 2],
      [90, 4],
    ],
  )
  equal(letters[0]?.timeMs, 1_700_000_000_000)
  await inspector?.close()
  equal((await store.read('select token from sluice_leases'))[0]?.token, '6')
}
