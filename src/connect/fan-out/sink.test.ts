import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { SluiceError } from '../../base/errors.ts'
import { pipeline } from '../../pipeline/pipeline.ts'
import { inspectorOf } from '../../pipeline/replay.ts'
import type { RunEvent } from '../../pipeline/report.ts'
import { type StartOptions, startPipeline } from '../../pipeline/start.ts'
import { rowsIn } from '../../testing/rows-in.ts'
import { until } from '../../testing/until.ts'
import { valuesSource } from '../memory/values.ts'
import type { Sink, SinkWriter } from '../sink.ts'
import { sqliteSink } from '../sqlite/sink.ts'
import { type FanOutOptions, fanOut } from './sink.ts'

interface Row {
  readonly n: number
}

const ROWS: readonly Row[] = Array.from({ length: 1000 }, (_, n) => ({ n }))

describe('fanOut', () => {
  let folder: string
  let root: string
  let count = 0
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'sluice-several-'))
  })
  beforeEach(() => {
    count += 1
    folder = join(root, String(count))
  })
  after(() => rmSync(root, { recursive: true, force: true }))

  const path = (name: string): string => join(root, `${count}-${name}`)
  const table = (name: string): Sink<Row> =>
    sqliteSink(path(`${name}.db`), { table: 'rows', key: ['n'], columns: { n: 'integer' } })
  const sinkOf = (options: Omit<FanOutOptions<Row>, 'spool'>): Sink<Row> =>
    fanOut<Row>(table('first'), { spool: folder, ...options })
  const jobOf = (sink: Sink<Row>, rows = ROWS) =>
    pipeline('numbers', { from: () => valuesSource(rows), into: () => sink })
  const run = async (sink: Sink<Row>, options: StartOptions = {}, rows = ROWS) =>
    await (await startPipeline(jobOf(sink, rows), { epochEvents: 100, ...options })).done

  const numbers = (name: string) =>
    rowsIn(path(`${name}.db`), 'select n from rows order by n').map(({ n }) => Number(n))

  const letters = (name: string) =>
    rowsIn(path(`${name}.db`), 'select pipeline, step, reason, raw from dead_letters order by "offset"')

  const ALL = ROWS.map(({ n }) => n)

  it('C40: writes every row into all of them, and leaves no file behind', async () => {
    const report = await run(
      sinkOf({ branches: { second: { into: table('second') }, third: { into: table('third') } } }),
    )
    assert.equal(report.run.loaded, 1000)
    for (const name of ['first', 'second', 'third']) assert.deepEqual(numbers(name), ALL, name)
    assert.deepEqual(readdirSync(folder), [])
  })

  it('writes each row where it belongs, and as what it is wanted there', async () => {
    await run(
      sinkOf({
        where: ({ n }) => n < 500,
        branches: {
          high: { into: table('high'), where: ({ n }) => n >= 500 },
          tens: { into: table('tens'), where: ({ n }) => n % 10 === 0, map: ({ n }) => ({ n: n / 10 }) },
        },
      }),
    )
    assert.deepEqual(numbers('first'), ALL.slice(0, 500))
    assert.deepEqual(numbers('high'), ALL.slice(500))
    assert.deepEqual(numbers('tens'), ALL.slice(0, 100))
  })

  it('makes a dead letter of a row that no sink takes, and of one that cannot be placed', async () => {
    const report = await run(
      sinkOf({
        where: ({ n }) => n !== 3,
        branches: {
          other: {
            into: table('other'),
            where: ({ n }) => {
              if (n === 5) throw new Error('five!')
              return n > 990
            },
          },
        },
      }),
    )
    assert.equal(report.run.loaded, 998)
    assert.equal(report.run.dead, 2)
    assert.deepEqual(letters('first'), [
      { pipeline: 'numbers', step: 'route', reason: 'no sink takes it', raw: '{"n":3}' },
      { pipeline: 'numbers', step: 'route', reason: 'five!', raw: '{"n":5}' },
    ])
    assert.equal(numbers('first').includes(5), false)
  })

  it('C42: gives a branch nothing that the first sink refuses, and of a record that became several the rest', async () => {
    const sink = fanOut<Row>(sqliteSink(path('first.db'), { table: 'rows', key: ['n'], columns: { n: 'integer' } }), {
      spool: folder,
      branches: { second: { into: table('second') } },
    })
    const job = pipeline('numbers', {
      from: () => valuesSource([{ n: 1 }]),
      flow: (rows) => rows.flatMap(() => [{ n: 1 }, { n: 2.5 }, { n: 3 }]),
      into: () => sink,
    })
    const report = await (await startPipeline(job)).done
    assert.deepEqual([report.run.loaded, report.run.dead], [2, 1])
    assert.deepEqual(numbers('first'), [1, 3])
    assert.deepEqual(numbers('second'), [1, 3])
  })

  it('C63: makes one letter of a row that cannot wait for any branch, and writes it nowhere', async () => {
    const map = ({ n }: Row): object => (n === 7 ? { n, f: () => n } : { n })
    const into = (name: string) => ({ into: table(name), map })
    const report = await run(sinkOf({ branches: { second: into('second'), third: into('third') } }))
    assert.deepEqual([report.run.loaded, report.run.dead], [999, 1])
    for (const name of ['first', 'second', 'third']) assert.deepEqual(numbers(name).includes(7), false, name)
    assert.equal(letters('first').length, 1)
  })

  it('keeps what a branch refuses with the branch, and says so', async () => {
    const notes: string[] = []
    const onEvent = (event: RunEvent): void => void (event.kind === 'noted' && notes.push(event.note))
    const into = table('second')
    const report = await run(sinkOf({ branches: { second: { into, map: ({ n }) => (n === 7 ? null : { n }) } } }), {
      onEvent,
    })
    assert.equal(report.run.loaded, 1000)
    assert.equal(numbers('second').length, 999)
    assert.deepEqual(notes, ['branch second rejected 1 of 1000 rows'])
    const sink = sinkOf({ branches: { second: { into } } })
    const inspector = await inspectorOf(sink, 'numbers', 'second')
    const [letter, ...more] = await inspector.deadLetters({ limit: 10 })
    assert.deepEqual([letter?.origin.raw, letter?.step, more.length], ['{"n":7}', 'sqlite', 0])
    assert.deepEqual((await inspector.checkpoint())?.totals.dead, 1)
    await inspector.close()
    await assert.rejects(inspectorOf(sink, 'numbers', 'third'), /there is no branch third: it has second/)
  })

  it('refuses two branches that would wait for the lock of one file, and no branch in that of the first', () => {
    const message = /two sinks would lock file .*second\.db; give each a file of its own/
    const into = table('second')
    assert.throws(() => sinkOf({ branches: { one: { into }, other: { into } } }), message)
    sinkOf({ branches: { same: { into: table('first') } } })
  })

  it('takes no options that do not fit', () => {
    const into = table('second')
    assert.throws(() => sinkOf({ branches: {} }), /one branch or more/)
    assert.throws(() => sinkOf({ branches: { 'a.b': { into } } }), /names of letters, digits, _ and -/)
    assert.throws(() => sinkOf({ branches: { second: { into, mayLagBytes: -1 } } }), /mayLagBytes/)
    assert.throws(() => fanOut(table('first'), { spool: '', branches: { second: { into } } }), /a folder/)
    assert.throws(() => fanOut(table('first'), { branches: { second: { into } } }), /undefined as spool .* a folder/)
  })

  describe('with a branch that is slow or lost', () => {
    it('C41: does not hold back the first until its bound, and ends when all is there', async () => {
      const gate = new Gate(table('slow'))
      let firstDone = 0
      const going = await startPipeline(jobOf(sinkOf({ branches: { slow: { into: gate.sink } } })), {
        epochEvents: 100,
        onEvent: (event) => {
          if (event.kind !== 'committed') return
          firstDone = event.totals.loaded
          if (firstDone === 1000) gate.open()
        },
      })
      await going.done
      assert.equal(firstDone, 1000)
      assert.deepEqual(numbers('slow'), ALL)
    })

    it('C41: waits for it at its bound', async () => {
      const gate = new Gate(table('slow'))
      const committed: number[] = []
      const branches = { slow: { into: gate.sink, mayLagBytes: 0 } }
      const rows = Array.from({ length: 20_000 }, (_, n) => ({ n }))
      const going = await startPipeline(jobOf(sinkOf({ branches }), rows), {
        epochEvents: 100,
        onEvent: (event) => void (event.kind === 'committed' && committed.push(event.totals.loaded)),
      })
      await gate.reached
      await until(() => committed.length > 0, 'a commit')
      // Long enough for a run that would go on: another one ends meanwhile.
      const others = { spool: `${folder}-other`, branches: { other: { into: table('other branch') } } }
      await run(fanOut<Row>(table('other'), others), {}, rows)
      const before = committed.length
      gate.open()
      await going.done
      assert.equal(before, 1)
      assert.ok(committed.length > 1, 'it had more to commit')
      assert.equal(numbers('slow').length, 20_000)
    })

    it('C40: goes on without one that is lost, and gives it all once it is back', async () => {
      const notes: string[] = []
      const flaky = failing(table('flaky'), 3)
      const report = await run(sinkOf({ branches: { flaky: { into: flaky } } }), {
        onEvent: (event) => void (event.kind === 'noted' && notes.push(event.note)),
      })
      assert.equal(report.run.loaded, 1000)
      assert.deepEqual(numbers('first'), ALL)
      assert.deepEqual(numbers('flaky'), ALL)
      assert.match(notes[0] ?? '', /lost for the test; the rows of branch flaky wait for it/)
    })

    it('fails once it was lost for the time of retries, and a later run gives it all', async () => {
      const dead = failing(table('dead'), Number.POSITIVE_INFINITY)
      await assert.rejects(run(sinkOf({ branches: { dead: { into: dead } } }), { retryMs: 100 }), {
        code: 'SINK_UNREACHABLE',
      })
      assert.deepEqual(numbers('first'), ALL)
      const report = await run(sinkOf({ branches: { dead: { into: table('dead') } } }))
      assert.equal(report.run.read, 0)
      assert.deepEqual(numbers('dead'), ALL)
    })

    it('is not forgotten with rows that wait for it', async () => {
      const dead = failing(table('dead'), Number.POSITIVE_INFINITY)
      const branches = { dead: { into: dead } }
      await assert.rejects(run(sinkOf({ branches }), { retryMs: 0 }), { code: 'SINK_UNREACHABLE' })
      await assert.rejects(run(sinkOf({ branches: { other: { into: table('other') } } })), {
        code: 'CHECKPOINT_INVALID',
        message: /1000 rows wait for branch dead, which it no longer has/,
      })
    })

    it('does not go on if a file that waits for it is gone, or is not what was written', async () => {
      const dead = failing(table('dead'), Number.POSITIVE_INFINITY)
      await assert.rejects(run(sinkOf({ branches: { dead: { into: dead } } }), { retryMs: 0 }))
      const [file = ''] = readdirSync(folder)
      const bytes = readFileSync(join(folder, file))
      const flipped = Buffer.from(bytes)
      flipped[100] = (flipped[100] ?? 0) ^ 1
      writeFileSync(join(folder, file), flipped)
      await assert.rejects(run(sinkOf({ branches: { dead: { into: table('dead') } } })), {
        code: 'SOURCE_CORRUPT',
        message: /at byte 0 there is a wrong checksum/,
      })
      rmSync(join(folder, file))
      await assert.rejects(run(sinkOf({ branches: { dead: { into: table('dead') } } })), {
        code: 'CHECKPOINT_INVALID',
        message: /branch dead has taken 0 of 1 files, and the next is gone/,
      })
    })
  })

  it('refuses a branch that has followed another pipeline, until all are reset', async () => {
    const branches = { second: { into: table('second') } }
    await run(sinkOf({ branches }))
    const first = await inspectorOf(table('first'), 'numbers')
    await first.reset({ deadLetters: false })
    await first.close()
    await assert.rejects(run(sinkOf({ branches })), {
      code: 'CHECKPOINT_INVALID',
      message: /branch second has followed another pipeline, or one that was reset/,
    })
    const all = await inspectorOf(sinkOf({ branches }), 'numbers')
    await all.reset({ deadLetters: false })
    await all.close()
    assert.equal((await run(sinkOf({ branches }))).run.loaded, 1000)
    assert.deepEqual(numbers('second'), ALL)
  })

  it('refuses a branch that lost what it was given', async () => {
    const branches = { second: { into: table('second') } }
    await run(sinkOf({ branches }))
    const second = await inspectorOf(sinkOf({ branches }), 'numbers', 'second')
    await second.reset({ deadLetters: false })
    await second.close()
    await assert.rejects(run(sinkOf({ branches })), {
      code: 'CHECKPOINT_INVALID',
      message: /branch second has taken 0 of 1 files, and the next is gone/,
    })
  })

  it('takes a branch that is new, and one that comes back', async () => {
    await run(sinkOf({ branches: { second: { into: table('second') } } }), {}, ROWS.slice(0, 10))
    await run(sinkOf({ branches: { third: { into: table('third') } } }), {}, ROWS.slice(0, 20))
    await run(sinkOf({ branches: { second: { into: table('second') } } }), {}, ROWS.slice(0, 30))
    assert.deepEqual(numbers('first'), ALL.slice(0, 30))
    assert.deepEqual(numbers('second'), [...ALL.slice(0, 10), ...ALL.slice(20, 30)])
    assert.deepEqual(numbers('third'), ALL.slice(10, 20))
  })
})

/** A sink that writes nothing until it is opened. */
class Gate {
  readonly sink: Sink<Row>
  readonly reached: Promise<void>
  readonly #opened = Promise.withResolvers<void>()

  constructor(sink: Sink<Row>) {
    const reached = Promise.withResolvers<void>()
    this.reached = reached.promise
    this.sink = wrapped(sink, async (write) => {
      reached.resolve()
      await this.#opened.promise
      return await write()
    })
  }

  open(): void {
    this.#opened.resolve()
  }
}

/** A sink that is lost at its first `times` writes. */
function failing(sink: Sink<Row>, times: number): Sink<Row> {
  let left = times
  return wrapped(sink, async (write) => {
    if (left === 0) return await write()
    left -= 1
    throw new SluiceError('SINK_LOST', 'Cannot write: lost for the test', { sink: sink.title, reason: 'lost' })
  })
}

type Write = SinkWriter<Row>['write']

function wrapped(sink: Sink<Row>, around: (write: () => ReturnType<Write>) => ReturnType<Write>): Sink<Row> {
  return {
    ...sink,
    async open(options) {
      const writer = await sink.open(options)
      return {
        checkpoint: writer.checkpoint,
        write: (events) => around(() => writer.write(events)),
        writeDeadLetters: (letters) => writer.writeDeadLetters(letters),
        commit: (checkpoint) => writer.commit(checkpoint),
        renewLease: () => writer.renewLease?.(),
        close: () => writer.close(),
      }
    },
  }
}
