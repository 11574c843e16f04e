import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type ErrorCode, isSluiceError } from '../../../base/errors.ts'
import { type Batch, batchOf, mapped } from '../../batch.ts'
import type { SqlWriter, SqlWriterOptions } from '../../kits/store/writer.ts'
import { deadLetter } from '../../origin.ts'
import type { Checkpoint } from '../../sink.ts'
import { NO_TOTALS } from '../../totals.ts'
import { type DatabaseOptions, openSqliteWriter } from './database.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-sqlite-'))
  path = join(folder, 'out.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

interface Row {
  readonly id: number
  readonly text?: string
}

function open(options: Partial<DatabaseOptions & SqlWriterOptions> = {}): Promise<SqlWriter<Row>> {
  return openSqliteWriter<Row>({
    path,
    table: 't',
    key: ['id'],
    columns: { id: 'integer', text: 'text' },
    deadLetters: 'dead_letters',
    pipeline: 'test',
    ...options,
  })
}

function rows(...ids: number[]): Batch<Row> {
  const origin = (id: number) => ({ source: 'a.log', line: id, offset: id * 10, raw: String(id) })
  return batchOf(
    ids.map((id) => ({ id })),
    { at: (at) => origin(ids[at] as number) },
  )
}

function checkpoint(epoch: number, positions: Readonly<Record<string, number>> = { 'a.log': epoch }): Checkpoint {
  return {
    epoch,
    positions: new Map(Object.entries(positions)),
    states: new Map(),
    totals: { ...NO_TOTALS, read: epoch, loaded: epoch },
  }
}

function idsOf(): number[] {
  return query('select id from t order by id').map(({ id }) => Number(id))
}

function query(sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(path)
  const found = database.prepare(sql).all()
  database.close()
  return found
}

function execute(sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

const failsWith = (code: ErrorCode, message: RegExp) => (error: unknown) => {
  ok(isSluiceError(error, code), String(error))
  match(error.message, message)
  return true
}

describe('the commits of a writer to SQLite', () => {
  it('C11: hold rows, dead letters and checkpoint, or nothing of them', async () => {
    const writer = await open()
    await writer.write(rows(1, 2))
    await writer.commit(checkpoint(1))
    await writer.write(rows(3))
    await writer.writeDeadLetters([deadLetter({ source: 'a.log', line: 4, offset: 40, raw: '4' }, 'map', 'no')])
    deepEqual(idsOf(), [1, 2])
    await writer.close()
    deepEqual(idsOf(), [1, 2])
    deepEqual(
      query('select count(*) as n from dead_letters').map(({ n }) => n),
      [0],
    )
    const next = await open()
    equal(next.checkpoint?.epoch, 1)
    await next.close()
  })

  it('C11: take in nothing that comes between their statements, and neither do signs of life', async (t) => {
    const writer = await open()
    let late = 1
    let isAtWork = false
    const prepare = DatabaseSync.prototype.prepare
    t.mock.method(DatabaseSync.prototype, 'prepare', function (this: DatabaseSync, sql: string) {
      // Whatever waits for a statement lets this write come first.
      if (isAtWork) queueMicrotask(writeLate)
      return prepare.call(this, sql)
    })
    const writeLate = (): void => {
      late += 1
      writer.write(rows(late))
    }
    const watched = async (work: () => void | Promise<void>): Promise<void> => {
      isAtWork = true
      await work()
      isAtWork = false
    }
    await watched(() => writer.renewLease())
    deepEqual(idsOf(), [])
    ok(late > 1, 'no row came late')
    const inTime = late
    await watched(() => writer.commit(checkpoint(1)))
    ok(late > inTime, 'no row came late')
    const committed = idsOf()
    await writer.close()
    deepEqual(idsOf(), committed)
    deepEqual(committed.at(-1), inTime)
  })

  it('are what is left when the process is killed', async () => {
    const script = `
      import { batchOf } from ${JSON.stringify(new URL('../../batch.ts', import.meta.url).href)}
      import { openSqliteWriter } from ${JSON.stringify(new URL('./database.ts', import.meta.url).href)}
      const writer = await openSqliteWriter({ path: ${JSON.stringify(path)}, table: 't', key: ['id'],
        columns: { id: 'integer', text: 'text' }, deadLetters: 'dead_letters', pipeline: 'test', signal: undefined })
      const rows = (from, to) => batchOf(Array.from({ length: to - from }, (_, i) => ({ id: from + i, text: 'x'.repeat(500) })),
        { at: (i) => ({ source: 'a', line: 0, offset: from + i, raw: '' }) })
      writer.write(rows(0, 1000))
      writer.commit({ epoch: 1, positions: new Map([['a', 1000]]), states: new Map(), totals: ${JSON.stringify(NO_TOTALS)} })
      writer.write(rows(1000, 20000))
      process.stdout.write('written')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--conditions=sluice-source', '--input-type=module', '-e', script])
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const writer = await open()
    deepEqual(writer.checkpoint?.positions, new Map([['a', 1000]]))
    await writer.close()
    deepEqual(
      query('select count(*) as n, max(id) as last from t').map((row) => ({ ...row })),
      [{ n: 1000, last: 999 }],
    )
    deepEqual(readdirSync(folder), ['out.db'])
  })
})

describe('two instances of a writer to SQLite', () => {
  it('C30: cannot both be open: the later one is told who was first', async () => {
    const one = await open()
    const held = new RegExp(`^Cannot start test: it is held by process ${process.pid} on .+, since 20[-\\dT:.]+Z$`)
    await rejects(open(), failsWith('PIPELINE_HELD', held))
    await one.close()
    const next = await open()
    await next.close()
  })

  it('C32: cannot both commit: one that gave no sign of life is fenced off', async () => {
    const zombie = await open()
    await zombie.commit(checkpoint(1))
    execute('update sluice_leases set renewed = 0')
    const other = await open()
    equal(other.checkpoint?.epoch, 1)
    await other.write(rows(1))
    await other.commit(checkpoint(2))
    const message = new RegExp(
      `^Cannot continue with test: this instance was fenced off, the pipeline is held by process ${process.pid} `,
    )
    throws(() => zombie.write(rows(2)), failsWith('PIPELINE_HELD', message))
    await zombie.close()
    await other.write(rows(3))
    await other.commit(checkpoint(3))
    await other.close()
    deepEqual(idsOf(), [1, 3])
  })

  it('do not keep each other out as long as they are one run', async () => {
    const lost = await open({ owner: 'me' })
    const again = await open({ owner: 'me' })
    throws(() => lost.write(rows(1)), failsWith('PIPELINE_HELD', /fenced off/))
    await lost.close()
    await again.commit(checkpoint(1))
    await again.close()
  })

  it('C31: give signs of life', async () => {
    const one = await open()
    execute('update sluice_leases set renewed = 0')
    one.renewLease()
    await rejects(open(), failsWith('PIPELINE_HELD', /held by/))
    execute('update sluice_leases set token = 9')
    throws(() => one.renewLease(), failsWith('PIPELINE_HELD', /fenced off/))
    await one.close()
  })

  it('are told apart also when the checkpoint changes under an open transaction', async () => {
    const writer = await open()
    await writer.commit(checkpoint(1))
    await writer.close()
    const zombie = await open()
    execute('update sluice_checkpoints set epoch = 9')
    throws(() => zombie.commit(checkpoint(2)), failsWith('PIPELINE_HELD', /committed epoch 9, by /))
    throws(() => zombie.commit(checkpoint(2)), failsWith('PIPELINE_HELD', /committed epoch 9, by /))
    await zombie.close()
    deepEqual(
      query('select epoch from sluice_checkpoints').map(({ epoch }) => epoch),
      [9],
    )
  })

  it('wait for each other where they are of different pipelines', async () => {
    const one = await open({ pipeline: 'one' })
    const two = await open({ pipeline: 'two' })
    await one.write(rows(1))
    const waiting = two.write(rows(2))
    ok(waiting instanceof Promise)
    await one.commit(checkpoint(1))
    deepEqual(await waiting, [])
    await two.commit(checkpoint(1))
    await one.close()
    await two.close()
    deepEqual(idsOf(), [1, 2])
  })
})

describe('the lock of a writer to SQLite', () => {
  it('is not waited for longer than its time', async () => {
    const writer = await open({ lockWaitMs: 0 })
    const holder = new DatabaseSync(path)
    holder.exec('begin immediate')
    const message = /^Cannot write to ".*out\.db": another program has held its lock for 0 s \(SQLITE_BUSY\)$/
    await rejects(async () => writer.write(rows(1)), failsWith('SINK_UNREACHABLE', message))
    await writer.close()
    await rejects(open({ lockWaitMs: 0 }), failsWith('SINK_UNREACHABLE', /^Cannot open /))
    holder.close()
  })

  it('is not waited for once the run is aborted', async () => {
    const aborting = new AbortController()
    const writer = await open({ signal: aborting.signal })
    const holder = new DatabaseSync(path)
    holder.exec('begin immediate')
    const waiting = writer.write(rows(1))
    aborting.abort(new Error('enough'))
    await rejects(async () => waiting, { message: 'enough' })
    holder.close()
    await writer.close()
  })

  it('is released by an error', async () => {
    execute(`create table t (id integer primary key, text text);
      create trigger no before insert on t when new.id = 3 begin select raise(rollback, 'not three'); end`)
    const writer = await open()
    await writer.write(rows(1))
    throws(() => writer.write(rows(3)), failsWith('SINK_MISMATCH', /not three/))
    execute('insert into t values (7, null)')
    throws(() => writer.write(rows(4)), failsWith('SINK_MISMATCH', /not three/))
    throws(() => writer.commit(checkpoint(1)), failsWith('SINK_MISMATCH', /not three/))
    await writer.close()
    deepEqual(idsOf(), [7])
  })
})

describe('the checkpoint of a writer to SQLite (C13)', () => {
  const breaks: Readonly<Record<string, RegExp>> = {
    'update sluice_checkpoints set totals = \'{"read": 1\'': /JSON/,
    "update sluice_checkpoints set totals = ''": /JSON/,
    "update sluice_checkpoints set totals = 'null'": /its totals are not an object/,
    "update sluice_checkpoints set totals = json_remove(totals, '$.dead')": /its total of dead is undefined/,
    "update sluice_checkpoints set totals = json_set(totals, '$.read', -1)": /its total of read is -1/,
    'update sluice_checkpoints set parts = 1': /it has 1 state parts, and there are 0/,
    'update sluice_checkpoints set epoch = 0': /its epoch is 0/,
    "update sluice_checkpoints set epoch = 'x'": /its epoch is x/,
    'update sluice_checkpoints set epoch = 9223372036854775807': /its epoch is 9223372036854775807/,
    "update sluice_positions set position = '{'": /JSON/,
    'delete from sluice_positions': /it has 1 splits, and there are positions of 0/,
    'delete from sluice_checkpoints': /there are positions but no checkpoint/,
    'alter table sluice_positions rename column position to place': /JSON/,
  }

  for (const [sql, found] of Object.entries(breaks)) {
    it(`is not passed over when it is broken: ${sql}`, async () => {
      const writer = await open()
      await writer.write(rows(1))
      await writer.commit(checkpoint(1))
      await writer.close()
      execute(sql)
      await rejects(open(), failsWith('CHECKPOINT_INVALID', found))
      await rejects(
        open(),
        failsWith(
          'CHECKPOINT_INVALID',
          /^Cannot continue from the checkpoint of test: .*to start over: sluice checkpoints/,
        ),
      )
      deepEqual(readdirSync(folder), ['out.db'])
    })
  }

  it('is not passed over when one of its tables is gone', async () => {
    const found = { sluice_positions: /it has 1 splits/, sluice_checkpoints: /there are positions but no checkpoint/ }
    for (const [table, message] of Object.entries(found)) {
      rmSync(path, { force: true })
      const writer = await open()
      await writer.commit(checkpoint(1, { a: 1 }))
      await writer.close()
      execute(`drop table ${table}`)
      await rejects(open(), failsWith('CHECKPOINT_INVALID', message))
    }
  })

  it('may be deleted to start over', async () => {
    const writer = await open()
    await writer.commit(checkpoint(1))
    await writer.close()
    execute('delete from sluice_positions; delete from sluice_checkpoints')
    const next = await open()
    equal(next.checkpoint, undefined)
    await next.commit(checkpoint(1))
    await next.close()
  })
})

describe('the disk of a writer to SQLite', () => {
  it('being full stops the run and keeps what was committed', async (test) => {
    const small = join(folder, 'small')
    mkdirSync(small)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', small], { stdio: 'ignore' })
    } catch {
      return test.skip('no small file system can be mounted here')
    }
    try {
      path = join(small, 'out.db')
      const writer = await open()
      await writer.write(rows(1))
      await writer.commit(checkpoint(1))
      const ids = rows(...Array(2000).keys())
      const text = 'x'.repeat(900)
      const big = mapped(
        ids,
        ids.values().map((row) => ({ ...row, text })),
      )
      const isFull = failsWith('STORAGE_FAILED', /^Cannot (write|commit) to ".*out\.db": .*(ENOSPC|EIO)\)$/)
      throws(() => {
        writer.write(big)
        writer.commit(checkpoint(2))
      }, isFull)
      throws(() => writer.commit(checkpoint(2)), isFull)
      await writer.close()
      deepEqual(idsOf(), [1])
    } finally {
      execFileSync('umount', [small])
    }
  })
})
