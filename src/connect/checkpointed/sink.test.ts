import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type ErrorCode, isSluiceError } from '../../base/errors.ts'
import { rowsIn } from '../../testing/rows-in.ts'
import { until } from '../../testing/until.ts'
import { batchOfTracked, deadLetterAt } from '../batch.ts'
import { callbackSink } from '../memory/callback.ts'
import { type Tracked, tracked } from '../origin.ts'
import type { Checkpoint, SinkWriter, TwoPhaseSink, TwoPhaseWriter } from '../sink.ts'
import type { Json } from '../source.ts'
import { NO_TOTALS } from '../totals.ts'
import { checkpointed } from './sink.ts'

let folder = ''
let store = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-checkpointed-'))
  store = join(folder, 'state.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

const OWNER = 'a run of the test'

function checkpoint(epoch: number): Checkpoint {
  const totals = { ...NO_TOTALS, read: epoch, loaded: epoch }
  return { epoch, positions: new Map([['split', epoch]]), states: new Map(), totals }
}

function event(id: number): Tracked<number> {
  return tracked(id, { source: 'test', line: 0, offset: id, raw: String(id) })
}

const failsWith = (code: ErrorCode) => (error: unknown) => isSluiceError(error, code)

/** Where a process may end between the calls of a commit. */
type Moment = 'in prepare' | 'after prepare' | 'before finish' | 'in finish' | 'after finish'

/** A sink in memory that undoes and finishes as its contract says, and writes down what it is asked. */
class Shelf {
  readonly calls: string[] = []
  /** Prepared rows, by epoch: what a crash leaves. */
  readonly prepared = new Map<number, readonly number[]>()
  readonly visible: number[] = []
  /** Where the next commit is broken off. */
  crashAt: Moment | undefined
  /** What finishing an epoch waits for. */
  stopped: Promise<void> | undefined

  readonly sink: TwoPhaseSink<number> = {
    kind: 'shelf',
    title: 'a shelf',
    guarantee: 'exactly-once',
    open: async ({ note, epoch }) => {
      this.calls.push(`open ${epoch} ${JSON.stringify(note)}`)
      for (const newer of this.prepared.keys()) if (newer > epoch) this.prepared.delete(newer)
      return this.#writer()
    },
  }

  #writer(): TwoPhaseWriter<number> {
    const rows: number[] = []
    return {
      write: (given) => {
        const values = given.values()
        rows.push(...values.filter((value) => value >= 0))
        return values.flatMap((value, at) => (value < 0 ? [deadLetterAt(given, at, 'shelf', 'below 0')] : []))
      },
      prepare: async (epoch) => {
        this.#crash('in prepare')
        this.calls.push(`prepare ${epoch}`)
        this.prepared.set(epoch, rows.splice(0))
        this.#crash('after prepare')
        return { epoch }
      },
      publish: async (note: Json) => {
        this.#crash('before finish')
        const { epoch } = note as { epoch: number }
        this.calls.push(`finish ${epoch}`)
        await this.stopped
        for (const row of this.prepared.get(epoch) ?? []) {
          if (!this.visible.includes(row)) this.visible.push(row)
          this.#crash('in finish')
        }
        this.prepared.delete(epoch)
        this.#crash('after finish')
      },
      close: async () => void this.calls.push('close'),
    }
  }

  #crash(moment: Moment): void {
    if (this.crashAt !== moment) return
    this.crashAt = undefined
    throw new Error(`crash ${moment}`)
  }
}

const open = (shelf: Shelf): Promise<SinkWriter<number>> =>
  checkpointed(shelf.sink, { store }).open({ pipeline: 'test', owner: OWNER })

describe('checkpointed', () => {
  it('C11: prepares, commits, and then finishes', async () => {
    const shelf = new Shelf()
    const writer = await open(shelf)
    equal(writer.checkpoint, undefined)
    await writer.write(batchOfTracked([event(1), event(2)]))
    deepEqual(shelf.visible, [])
    await writer.commit(checkpoint(1))
    deepEqual(shelf.visible, [1, 2])
    await writer.close()
    deepEqual(shelf.calls, ['open 0 undefined', 'prepare 1', 'finish 1', 'close'])
  })

  it('gives the last checkpoint and note to the next run', async () => {
    const shelf = new Shelf()
    const first = await open(shelf)
    await first.commit(checkpoint(1))
    await first.close()
    const second = await open(shelf)
    deepEqual(second.checkpoint, checkpoint(1))
    deepEqual(shelf.calls.slice(-2), ['open 1 {"epoch":1}', 'finish 1'])
    await second.close()
  })

  const MOMENTS: Readonly<Record<Moment, readonly number[]>> = {
    'in prepare': [1, 4],
    'after prepare': [1, 4],
    'before finish': [1, 2, 3, 4],
    'in finish': [1, 2, 3, 4],
    'after finish': [1, 2, 3, 4],
  }
  for (const [moment, expected] of Object.entries(MOMENTS)) {
    it(`ends with what was committed when it is broken off ${moment}`, async () => {
      const shelf = new Shelf()
      const first = await open(shelf)
      await first.write(batchOfTracked([event(1)]))
      await first.commit(checkpoint(1))
      await first.write(batchOfTracked([event(2), event(3)]))
      shelf.crashAt = moment as Moment
      await rejects(async () => await first.commit(checkpoint(2)), /crash/)
      // The process is gone: nothing is closed.
      const second = await open(shelf)
      const epoch = second.checkpoint?.epoch as number
      equal(epoch, expected.includes(2) ? 2 : 1)
      await second.write(batchOfTracked([event(4)]))
      await second.commit(checkpoint(epoch + 1))
      deepEqual(shelf.visible, expected)
      await second.close()
    })
  }

  it('finishes again, if that was broken off while it opened', async () => {
    const shelf = new Shelf()
    const first = await open(shelf)
    await first.write(batchOfTracked([event(1), event(2)]))
    shelf.crashAt = 'in finish'
    await rejects(async () => await first.commit(checkpoint(1)))
    shelf.crashAt = 'in finish'
    await rejects(open(shelf), /crash in finish/)
    const third = await open(shelf)
    deepEqual(shelf.visible, [1, 2])
    await third.close()
  })

  it('fails with the same error after anything has failed', async () => {
    const shelf = new Shelf()
    const writer = await open(shelf)
    shelf.crashAt = 'in prepare'
    await rejects(async () => await writer.commit(checkpoint(1)), /crash in prepare/)
    throws(() => writer.write(batchOfTracked([event(1)])), /crash in prepare/)
    throws(() => writer.writeDeadLetters([]), /crash in prepare/)
    throws(() => writer.commit(checkpoint(1)), /crash in prepare/)
    await writer.close()
    await writer.close()
  })

  it('keeps dead letters with the checkpoint, or neither', async () => {
    const shelf = new Shelf()
    const letters = () =>
      rowsIn(store, 'select "offset", epoch, step, reason from dead_letters order by 1').map((row) =>
        Object.values(row),
      )
    const first = await open(shelf)
    const refused = await first.write(batchOfTracked([event(1), event(-2)]))
    await first.writeDeadLetters(refused)
    deepEqual(letters(), [])
    await first.commit(checkpoint(1))
    deepEqual(letters(), [[-2, 1, 'shelf', 'below 0']])
    await first.writeDeadLetters(await first.write(batchOfTracked([event(-3)])))
    await first.close()
    deepEqual(letters(), [[-2, 1, 'shelf', 'below 0']])
  })

  it('shows what it keeps, takes letters out again, and starts over when it is told to', async () => {
    const sink = checkpointed(new Shelf().sink, { store })
    const writer = await sink.open({ pipeline: 'test' })
    await writer.writeDeadLetters(await writer.write(batchOfTracked([event(1), event(-2), event(-3)])))
    await writer.commit(checkpoint(1))
    const inspector = await sink.inspect?.('test')
    const letters = (await inspector?.deadLetters({ limit: 10 })) ?? []
    deepEqual(
      letters.map(({ origin }) => origin.offset),
      [-3, -2],
    )
    await writer.deleteDeadLetters?.(letters.slice(0, 1))
    await writer.commit(checkpoint(2))
    await writer.close()
    equal((await inspector?.deadLetters({ limit: 10 }))?.length, 1)
    equal((await inspector?.checkpoint())?.epoch, 2)
    await inspector?.reset({ deadLetters: true })
    await inspector?.close()
    const fresh = await sink.open({ pipeline: 'test' })
    equal(fresh.checkpoint, undefined)
    await fresh.close()
  })

  it('fences off a run that another one has taken over from, before it prepares or finishes anything', async () => {
    const shelf = new Shelf()
    const zombie = await open(shelf)
    await zombie.write(batchOfTracked([event(1)]))
    const successor = await open(shelf)
    await successor.write(batchOfTracked([event(2)]))
    await successor.commit(checkpoint(1))
    shelf.calls.length = 0
    await rejects(async () => await zombie.commit(checkpoint(1)), failsWith('PIPELINE_HELD'))
    deepEqual(shelf.calls, [])
    deepEqual(shelf.visible, [2])
    await zombie.close()
    await successor.commit(checkpoint(2))
    await successor.close()
  })

  it('C33: lets nobody take over from one that is stopped while it finishes an epoch', async () => {
    const shelf = new Shelf()
    const zombie = await open(shelf)
    await zombie.write(batchOfTracked([event(1)]))
    const { promise, resolve: wake } = Promise.withResolvers<void>()
    shelf.stopped = promise
    const committed = zombie.commit(checkpoint(1))
    await until(() => shelf.calls.includes('finish 1'), 'the finish')
    shelf.calls.length = 0
    const opening = open(shelf)
    // Long enough for an heir that would not wait: others open and commit meanwhile.
    for (const name of ['a', 'b', 'c']) {
      const other = await checkpointed(new Shelf().sink, { store: join(folder, name) }).open({ pipeline: 'test' })
      await other.commit(checkpoint(1))
      await other.close()
    }
    deepEqual(shelf.calls, [], 'the heir waits')
    wake()
    await committed
    const successor = await opening
    deepEqual(shelf.calls, ['open 1 {"epoch":1}', 'finish 1'])
    await zombie.close()
    await successor.close()
  })

  it('is held by one run at a time', async () => {
    const shelf = new Shelf()
    const first = await checkpointed(shelf.sink, { store }).open({ pipeline: 'test' })
    const another = checkpointed(shelf.sink, { store }).open({ pipeline: 'test' })
    await rejects(another, failsWith('PIPELINE_HELD'))
    await first.close()
    await (await checkpointed(shelf.sink, { store }).open({ pipeline: 'test' })).close()
  })

  it('keeps several pipelines in one store', async () => {
    const shelves = [new Shelf(), new Shelf()]
    const writers = await Promise.all(
      shelves.map((shelf, place) => checkpointed(shelf.sink, { store }).open({ pipeline: `p${place}` })),
    )
    for (const [place, writer] of writers.entries()) {
      await writer.write(batchOfTracked([event(place)]))
      await writer.commit(checkpoint(1))
    }
    deepEqual(
      shelves.map(({ visible }) => visible),
      [[0], [1]],
    )
    for (const writer of writers) await writer.close()
  })

  const breaks = [
    'update sluice_checkpoints set note = null',
    `update sluice_checkpoints set note = '{'`,
    'alter table sluice_checkpoints drop column note',
  ]
  for (const sql of breaks) {
    it(`does not go on when its note is broken: ${sql}`, async () => {
      const shelf = new Shelf()
      const writer = await open(shelf)
      await writer.commit(checkpoint(1))
      await writer.close()
      const database = new DatabaseSync(store)
      database.exec(sql)
      database.close()
      await rejects(open(shelf), failsWith('CHECKPOINT_INVALID'))
    })
  }

  it('says where it keeps what', () => {
    const sink = checkpointed(new Shelf().sink, { store: 'a.db', deadLetters: 'bad' })
    deepEqual(
      [sink.kind, sink.title, sink.guarantee, sink.deadLetters],
      ['shelf', 'a shelf', 'exactly-once', 'table bad in a.db'],
    )
  })

  it('refuses a store that is no file, and options that there are not', () => {
    for (const bad of ['', ':memory:', 'a\0b', 1 as unknown as string]) {
      throws(() => checkpointed(new Shelf().sink, { store: bad }), failsWith('CONFIG_INVALID'))
    }
    throws(() => checkpointed(new Shelf().sink, { store: 'a', stroe: 'b' } as never), TypeError)
  })
})

describe('callbackSink', () => {
  const opening = { pipeline: 'p', note: undefined, epoch: 4 }

  it('gives rows and the epoch that they are of', async () => {
    const seen: unknown[] = []
    const writer = await callbackSink('f', (rows: readonly number[], { epoch, pipeline }) => {
      seen.push([...rows, epoch, pipeline])
    }).open(opening)
    deepEqual(await writer.write(batchOfTracked([event(1), event(2)])), [])
    equal(await writer.prepare(5), null)
    await writer.write(batchOfTracked([event(3)]))
    deepEqual(seen, [
      [1, 2, 5, 'p'],
      [3, 6, 'p'],
    ])
  })

  it('makes dead letters of the rows that it refuses, once each', async () => {
    const writer = await callbackSink('f', async () => [1, { index: 0, reason: 'no' }, 1]).open(opening)
    const letters = await writer.write(batchOfTracked([event(7), event(8)]))
    deepEqual(
      letters.map(({ origin, step, reason }) => [origin.offset, step, reason]),
      [
        [8, 'f', 'f rejected it'],
        [7, 'f', 'no'],
      ],
    )
  })

  it('refuses answers that mean nothing', async () => {
    for (const answer of [true, 'x', [5], [-1], [{ index: 0.5 }]]) {
      const writer = await callbackSink('f', () => answer as never).open(opening)
      throws(() => writer.write(batchOfTracked([event(1)])), /function f (gives|returns|rejects|answers)/)
    }
  })

  it('stops with what the function throws, as it is', async () => {
    const mine = new Error('mine')
    const sink = checkpointed(
      callbackSink('f', () => Promise.reject(mine)),
      { store },
    )
    const writer = await sink.open({ pipeline: 'test' })
    await rejects(
      async () => await writer.write(batchOfTracked([event(1)])),
      (error) => error === mine,
    )
    await writer.close()
  })

  it('waits for flush before a commit, and calls close once', async () => {
    const calls: string[] = []
    const flush = async ({ epoch }: { epoch: number }) => void calls.push(`flush ${epoch}`)
    const close = () => void calls.push('close')
    const sink = checkpointed(
      callbackSink('f', () => {}, { flush, close }),
      { store },
    )
    const writer = await sink.open({ pipeline: 'test' })
    await writer.commit(checkpoint(1))
    ok(calls.includes('flush 1'))
    await writer.close()
    await writer.close()
    deepEqual(calls, ['flush 1', 'close'])
  })
})
