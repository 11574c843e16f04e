import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSluiceError } from '../../src/base/errors.ts'
import { newOwner } from '../../src/connect/lease.ts'
import type { SinkWriter } from '../../src/connect/sink.ts'
import { clientSockets } from '../support/client-sockets.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'
import {
  checkpoint,
  digestOf,
  failsWith,
  type Opening,
  openAt,
  type Row,
  range,
  rows,
} from '../support/postgres-sink.ts'
import { ROOT } from '../support/project.ts'
import { randomOf, SEED } from '../support/seed.ts'
import { until } from '../support/until.ts'

const skip = missingPostgres()
const EPOCHS = 5
const ROWS = 400

describe(`a PostgreSQL sink whose server fails (REPRO: SEED=${SEED} npm test)`, { skip }, () => {
  let server: PostgresServer
  let database = ''
  let undisturbed = ''

  before(async () => {
    server = await PostgresServer.start({ settings: { deadlock_timeout: '50ms' } })
    database = await server.createDatabase()
    const writer = await open()
    await loadFrom(writer)
    await writer.close()
    undisturbed = await digestOf(server, database)
  })
  after(() => server.stop())
  beforeEach(async () => {
    database = await server.createDatabase()
  })

  const open = (opening: Opening = {}): Promise<SinkWriter<Row>> =>
    openAt(server.url(database), { owner: 'run', key: undefined as never, ...opening })
  const query = (sql: string) => server.query(database, sql)

  async function loadFrom(writer: SinkWriter<Row>, onWritten: (epoch: number) => unknown = () => {}): Promise<void> {
    const from = (writer.checkpoint?.positions.get('a.log') as number | undefined) ?? 0
    for (let epoch = from + 1; epoch <= EPOCHS; epoch += 1) {
      const first = (epoch - 1) * ROWS
      deepEqual(await writer.write(range(first, first + ROWS / 2)), [])
      await onWritten(epoch)
      deepEqual(await writer.write(range(first + ROWS / 2, first + ROWS)), [])
      await writer.commit(checkpoint(epoch))
    }
  }

  /** Loads as a supervisor does: reopens after every loss. Gives the losses. */
  async function loadThrough(onWritten: (epoch: number) => unknown, opening: Opening = {}): Promise<string[]> {
    const losses: string[] = []
    // A server that recovers takes as long as its disk does.
    const untilMs = performance.now() + 120_000
    while (performance.now() < untilMs) {
      let writer: SinkWriter<Row> | undefined
      try {
        writer = await open(opening)
        await loadFrom(writer, onWritten)
        await writer.close()
        return losses
      } catch (error) {
        await writer?.close()
        if (!isSluiceError(error, 'SINK_LOST')) throw error
        losses.push(error.details.reason)
        // Not without a pause, as no supervisor does either.
        await sleep(20)
      }
    }
    throw new Error(`gave up: ${losses.slice(-5).join('; ')}`)
  }

  /** Ends the sessions of the pipeline: all, or the one in a transaction. */
  const endSessions = (which = 'true') =>
    query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sluice/test' and ${which}`)

  for (const mode of ['fast', 'immediate', 'kill'] as const) {
    it(`F7: loads all, each once, when the server restarts in mid transaction (${mode})`, async () => {
      const random = randomOf(`restart ${mode}`)
      let restarts = 0
      let restart: Promise<void> = Promise.resolve()
      const losses = await loadThrough(async (epoch) => {
        if (epoch !== 2 + restarts * 2 || restarts === 2) return
        restarts += 1
        // At any moment of what is written next.
        restart = sleep(random() * 4).then(() => server.restart(mode))
        await sleep(random() * 8)
      })
      await restart
      ok(losses.length >= 1, 'it was noticed')
      equal(await digestOf(server, database), undisturbed)
    })
  }

  it('F8: loads all, each once, when its sessions are terminated', async () => {
    let ended = 0
    const losses = await loadThrough(async (epoch) => {
      if (ended >= 5 || epoch === 1) return
      ended += 1
      await endSessions(ended % 2 === 0 ? 'true' : `state = 'idle in transaction'`)
    })
    deepEqual(losses, Array(5).fill('terminating connection due to administrator command (57P01)'))
    equal(await digestOf(server, database), undisturbed)
  })

  it('F8: goes on when only the session for its signs of life is terminated', async () => {
    const own = clientSockets()
    const writer = await open()
    own.stop()
    await endSessions(`state = 'idle' and query not like 'commit%'`)
    await until(() => own.sockets.some(({ closed }) => closed), 'the end of its session')
    await query('update sluice_leases set renewed = to_timestamp(0)')
    await writer.renewLease?.()
    await loadFrom(writer)
    deepEqual(await query('select renewed > now() - interval $$5 s$$ as fresh from sluice_leases'), [{ fresh: true }])
    await writer.close()
    equal(await digestOf(server, database), undisturbed)
  })

  for (const [code, raised] of [
    ['40001', 'serialization_failure'],
    ['40P01', 'deadlock_detected'],
    ['53100', 'disk_full'],
    ['57014', 'query_canceled'],
  ] as const) {
    it(`F8: takes ${raised} for a loss, to be tried again`, async () => {
      await query(`create table t (id bigint, text text); create sequence tries;
        create function fail() returns trigger language plpgsql as $$ begin
          if nextval('tries') <= 2 then raise exception 'once' using errcode = '${code}'; end if; return new; end $$;
        create trigger fail before insert on t for each statement execute function fail()`)
      deepEqual(await loadThrough(() => {}), [`once (${code})`, `once (${code})`])
      equal(await digestOf(server, database), undisturbed)
    })
  }

  it('F8: takes a statement timeout for a loss', async () => {
    await query(`create table t (id bigint primary key, text text);
      create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(10); return new; end $$;
      create trigger slow before insert on t for each row execute function slow()`)
    await query(`alter database ${database} set statement_timeout = 100`)
    const writer = await open()
    await rejects(
      async () => writer.write(range(0, 1)),
      failsWith('SINK_LOST', /canceling statement due to statement timeout \(57014\)$/),
    )
    await writer.close()
  })

  it('F8: gets out of a deadlock of two loads', async () => {
    // In batches of opposite order: rows within a batch are locked in the order of the key.
    let holding = 0
    const both = Promise.withResolvers<void>()
    const load = async (pipeline: string, ids: readonly number[]): Promise<number> => {
      for (let losses = 0; ; losses += 1) {
        const writer = await open({ pipeline, key: ['id'] })
        try {
          for (const id of ids) {
            await writer.write(rows(id))
            holding += 1
            if (holding === 2) both.resolve()
            await both.promise
          }
          await writer.commit(checkpoint(1))
          return losses
        } catch (error) {
          failsWith('SINK_LOST', /deadlock detected \(40P01\)$/)(error)
        } finally {
          await writer.close()
        }
      }
    }
    await (await open({ key: ['id'] })).close()
    const [one, two] = await Promise.all([load('one', [1, 2]), load('two', [2, 1])])
    equal(one + two, 1)
    deepEqual(await query('select id::int from t order by id'), [{ id: 1 }, { id: 2 }])
  })

  it('F11: loads all, each once, when the disk of its table is full and then is not', async (test) => {
    const folder = join(server.folder, 'small')
    mkdirSync(folder)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m,mode=777', 'tmpfs', folder])
    if (mounted.status !== 0) return test.skip('mounting is not allowed here')
    try {
      const space = join(folder, 'space')
      mkdirSync(space)
      if (process.getuid?.() === 0) chownSync(space, 65_534, 65_534)
      await query(`create tablespace small location '${space}'`)
      await query('create table t (id bigint, text text) tablespace small')
      const load = async (): Promise<void> => {
        const writer = await open()
        try {
          const from = (writer.checkpoint?.epoch ?? 0) + 1
          for (let epoch = from; epoch <= 6; epoch += 1) {
            await writer.write(range(epoch * 20_000, (epoch + 1) * 20_000))
            await writer.commit(checkpoint(epoch))
          }
        } finally {
          await writer.close()
        }
      }
      await rejects(load(), failsWith('SINK_LOST', /: No space left on device.* \(53100\)$/))
      equal(spawnSync('mount', ['-o', 'remount,size=64m', folder]).status, 0)
      await load()
      deepEqual(await query('select count(*)::int as n, count(distinct id)::int as d from t'), [
        { n: 120_000, d: 120_000 },
      ])
      await query('drop table t')
      await query('drop tablespace small')
    } finally {
      spawnSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true, force: true })
    }
  })

  describe('with two instances', () => {
    it('F35: lets exactly one of several in that start at once', async () => {
      for (let round = 0; round < 3; round += 1) {
        const starts = Array.from({ length: 5 }, () => open({ owner: newOwner() }))
        const ends = await Promise.allSettled(starts)
        const open_ = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
        equal(open_.length, 1)
        for (const end of ends) {
          if (end.status === 'rejected')
            failsWith('PIPELINE_HELD', /^Cannot start test: it is held by process \d+ on /)(end.reason)
        }
        await open_[0]?.close()
      }
    })

    it('F35: fences off one that gave no sign of life, and ends what it had under way', async () => {
      const zombie = await open({ owner: newOwner(), key: ['id'] })
      await zombie.write(rows(1, 2))
      await query('update sluice_leases set renewed = to_timestamp(0)')
      const other = await open({ owner: newOwner(), key: ['id'] })
      // The same keys: not before the zombie's transaction is over.
      await other.write(rows(1, 2, 3))
      await other.commit(checkpoint(1))
      await rejects(async () => zombie.commit(checkpoint(1)), failsWith('SINK_LOST', /\(57P01\)$/))
      await zombie.close()
      await rejects(
        open({ owner: newOwner() }),
        failsWith('PIPELINE_HELD', /^Cannot start test: it is held by process /),
      )
      await other.close()
      deepEqual(await query('select id::int from t order by id'), [{ id: 1 }, { id: 2 }, { id: 3 }])
    })

    it('F35: lets one that was fenced off commit nothing, also in a session of its own', async () => {
      const zombie = await open()
      await zombie.write(rows(1))
      await query('update sluice_leases set token = token + 1, backend = null')
      await rejects(
        async () => zombie.commit(checkpoint(1)),
        failsWith('PIPELINE_HELD', /^Cannot commit epoch 1 of test: this instance was fenced off/),
      )
      await rejects(async () => zombie.write(rows(2)), failsWith('PIPELINE_HELD', /fenced off/))
      await zombie.close()
      const second = await open()
      await query('update sluice_leases set token = token + 1')
      await rejects(
        async () => second.renewLease?.(),
        failsWith('PIPELINE_HELD', /^Cannot continue with test: this instance was fenced off/),
      )
      await second.close()
      deepEqual(await query('select id from t'), [])
    })

    it('F35: gives signs of life while a transaction is under way', async () => {
      const one = await open({ owner: newOwner() })
      await one.write(rows(1))
      await query('update sluice_leases set renewed = to_timestamp(0)')
      await one.renewLease?.()
      await rejects(open({ owner: newOwner() }), failsWith('PIPELINE_HELD', /is held by/))
      await one.commit(checkpoint(1))
      await one.close()
    })

    it('F35: goes on at once after one that was killed, and not after one that is stopped', async () => {
      const holder = spawnHolder(server.url(database))
      await holder.ready
      holder.process.kill('SIGSTOP')
      await rejects(open({ owner: newOwner() }), failsWith('PIPELINE_HELD', /is held by process/))
      const second = open({ owner: newOwner(), leaseMs: 1, key: ['id'] })
      const writer = await second
      await writer.write(rows(1))
      await writer.commit(checkpoint(1))
      holder.process.kill('SIGCONT')
      match(await holder.said, /^(PIPELINE_HELD|SINK_LOST) /)
      await writer.close()
      deepEqual(await query('select id::int from t order by id'), [{ id: 1 }])
      const killed = spawnHolder(server.url(database))
      await killed.ready
      killed.process.kill('SIGKILL')
      await killed.said
      const third = await open({ owner: newOwner(), key: ['id'] })
      equal(third.checkpoint?.epoch, 1)
      await third.close()
    })
  })

  describe('whose schema is changed in mid run', () => {
    for (const [sql, found] of [
      ['alter table t drop column text', /it has no column text$/],
      ['alter table t rename column text to words', /it has no column text$/],
      [
        'alter table t alter column text type bytea using text::bytea',
        /its column text is bytea, rows have text for it$/,
      ],
      ['alter table t alter column id type float8', undefined],
      ['alter table t alter column id type int', undefined],
      ['alter table t add column more int default 7', undefined],
      [
        'alter table t add column more int not null default 0; alter table t alter more drop default',
        /its column more is not null and has no default, and rows have no such column$/,
      ],
      ['drop table t', /relation "public\.t" does not exist \(42P01\)$/],
      ['drop table dead_letters', undefined],
      ['alter table t drop constraint t_pkey', /it has no primary key or unique index of exactly id$/],
      ['drop table sluice_checkpoints', /relation "public\.sluice_checkpoints" does not exist \(42P01\)$/],
      ['revoke all on t from loader', /permission denied for table t \(42501\)$/],
    ] as const) {
      it(`F40: goes on if rows still fit, and says what does not: ${sql}`, async () => {
        await query('create table t (id bigint constraint t_pkey primary key, text text)')
        await query(`do $$ begin create role loader login; exception when duplicate_object then null; end $$;
          grant all on t to loader; grant all on schema public to loader`)
        const writer = await openAt<Row>(server.url(database, 'loader'), { key: ['id'] })
        await writer.write(range(0, 3))
        await writer.commit(checkpoint(1))
        await query(sql)
        const goOn = async (): Promise<string[]> => {
          const letters = await writer.write(range(3, 6))
          if (!/dead_letters/.test(sql)) await writer.writeDeadLetters(letters)
          await writer.commit(checkpoint(2))
          return letters.map(({ reason }) => reason)
        }
        if (found === undefined) {
          deepEqual(await goOn(), [])
          const ids = await query('select id::int from t order by id')
          deepEqual(
            ids,
            [0, 1, 2, 3, 4, 5].map((id) => ({ id })),
          )
        } else {
          await rejects(goOn(), failsWith('SINK_MISMATCH', found))
        }
        await writer.close()
      })
    }
  })

  it('S17: needs no more rights than those on its tables', async () => {
    await (await open({ key: ['id'] })).close()
    await query(`do $$ begin create role least login; exception when duplicate_object then null; end $$;
      revoke create on schema public from public; grant select, insert, update on t, dead_letters to least;
      grant select on sluice_store to least;
      grant select, insert, update, delete on sluice_leases, sluice_checkpoints, sluice_positions, sluice_states,
      sluice_splits to least`)
    const writer = await openAt<Row>(server.url(database, 'least'), { key: ['id'] })
    await writer.write(rows(1))
    await writer.commit(checkpoint(1))
    await writer.close()
    deepEqual(await query('select id::int from t'), [{ id: 1 }])
    await rejects(
      openAt(server.url(database, 'least'), { table: 'new' }),
      failsWith('SINK_MISMATCH', /permission denied for schema public \(42501\)$/),
    )
  })
})

/** A process that opens the pipeline, writes without end, and says how it ended. */
function spawnHolder(url: string) {
  const script = `
    import { openAt, rows, checkpoint } from ${JSON.stringify(join(ROOT, 'test/support/postgres-sink.ts'))}
    const writer = await openAt(${JSON.stringify(url)}, { key: ['id'] })
    await writer.write(rows(1))
    process.stdout.write('ready\\n')
    setInterval(async () => {
      try { await writer.renewLease() } catch (error) { console.log(error.code, error.message); process.exit() }
    }, 50)`
  const child = spawn(process.execPath, ['--conditions=sluice-source', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  const ready = Promise.withResolvers<void>()
  child.stdout.setEncoding('utf8').on('data', (said: string) => {
    text += said
    ready.resolve()
  })
  const said = new Promise<string>((resolve) => {
    child.once('close', () => {
      ready.resolve()
      resolve(text.replace('ready\n', ''))
    })
  })
  return { process: child, ready: ready.promise, said }
}
