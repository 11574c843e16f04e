import { deepEqual, equal, match } from 'node:assert/strict'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import {
  count,
  type Flow,
  fileSource,
  flow,
  ndjsonSource,
  type Pipeline,
  pipeline,
  type Sink,
  sqliteSink,
  textLines,
  tumbling,
} from 'sluice'
import { duckdbSink } from 'sluice/duckdb'
import { inspectorOf, replayDeadLetters } from '../src/pipeline/replay.ts'
import { startPipeline } from '../src/pipeline/start.ts'
import { rowsIn } from '../src/testing/rows-in.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'

interface Row {
  readonly id: string
  readonly n: number
}

interface Reading {
  readonly id: string
  readonly at: number
}

const folder = tempFolder('sluice-again-')
let turn = 0
let input = ''
let db = ''
beforeEach(() => {
  turn += 1
  input = join(folder, `${turn}.ndjson`)
  db = join(folder, `${turn}.db`)
})

const write = (path: string, ...records: readonly unknown[]): void => {
  writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
}
const table = (): Sink<Row> => sqliteSink(db, { table: 't', key: ['id'], columns: { id: 'text', n: 'integer' } })
const run = async (job: Pipeline, options = {}): Promise<void> => void (await (await startPipeline(job, options)).done)
const lettersIn = async (sink: Sink<never>, name: string): Promise<string[]> => {
  const inspector = await inspectorOf(sink as Sink<unknown>, name)
  try {
    const all = await inspector.deadLetters({ limit: 1000 })
    equal(all.length, (await inspector.checkpoint())?.totals.dead, 'letters, and those that were counted')
    const place = (source: string, line: number): string => (source === '' ? 'result' : `line ${line}`)
    return all.map(
      ({ origin, step, part, reason }) => `${place(origin.source, origin.line)} ${step} ${part}: ${reason}`,
    )
  } finally {
    await inspector.close()
  }
}
const query = (sql: string) => rowsIn(db, sql)

describe('dead letters that are tried again', () => {
  it('C64: become rows once, where other events of their record were loaded, also without a key', async () => {
    write(input, { id: 'a', all: [1, 2, 3, 4] }, { id: 'b', all: [6, 7] }, { id: 'c', all: [1] })
    const path = join(folder, `${turn}.duckdb`)
    const into = duckdbSink<Row>(path, { table: 't', columns: { id: 'text', n: 'integer' } })
    const job = (isMended: boolean): Pipeline =>
      pipeline('parts', {
        from: () => ndjsonSource<{ id: string; all: number[] }>(input),
        flow: (rows) =>
          rows
            .partition({ key: ({ id }) => id })
            .flatMap(({ id, all }) => all.map((n) => ({ id, n })))
            .map(
              (row) => {
                if (row.n % 2 === 0 && !isMended) throw new Error('even')
                return row
              },
              { name: 'odd' },
            )
            .flatMap(({ id, n }) => [
              { id: `${id}${n}`, n },
              { id: `${id}${n}x`, n: n === 7 && !isMended ? 0.5 : n },
            ]),
        into: () => into,
      }) as Pipeline
    await run(job(false))
    const found = (await lettersIn(into, 'parts')).map((text) => text.replace(/(?<=takes integers).*/, ''))
    deepEqual(found, [
      'line 1 odd 2: even',
      'line 1 odd 4: even',
      'line 2 duckdb 8: column n takes integers',
      'line 2 odd 1: even',
    ])
    deepEqual(await replayDeadLetters(job(true)), { tried: 4, loaded: 7, dead: 0, skipped: 0 })
    deepEqual(await replayDeadLetters(job(true)), { tried: 0, loaded: 0, dead: 0, skipped: 0 })
    deepEqual(await lettersIn(into, 'parts'), [])
    const instance = await DuckDBInstance.create(path)
    const connection = await instance.connect()
    const rows = await (await connection.runAndReadAll('select id from t order by id')).getRows()
    instance.closeSync()
    const ids = ['a1', 'a1x', 'a2', 'a2x', 'a3', 'a3x', 'a4', 'a4x', 'b6', 'b6x', 'b7', 'b7x', 'c1', 'c1x']
    deepEqual(rows.flat(), ids)
  })

  it('C64: are letters of their record as a whole where it becomes other events now', async () => {
    write(input, { id: 'a', all: [1, 2, 3] })
    const job = (most: number): Pipeline =>
      pipeline('changed', {
        from: () => ndjsonSource<{ id: string; all: number[] }>(input),
        flow: (rows) =>
          rows.flatMap(({ id, all }) => all.slice(0, most).map((n) => ({ id: id + n, n: n + (n === 3 ? 0.5 : 0) }))),
        into: table,
      }) as Pipeline
    await run(job(3))
    deepEqual(await replayDeadLetters(job(2)), { tried: 1, loaded: 0, dead: 1, skipped: 0 })
    const [letter = '', ...others] = await lettersIn(table(), 'changed')
    match(letter, /^line 1 flatMap 1 0: it now becomes 2 events, and part 3 of it/)
    deepEqual(others, [])
  })

  it('C64: of late events are late again, each a letter of its own, and leave rows as they are', async () => {
    const readings = [5, 90, 3, 200, 10].map((seconds, id) => ({ id: `${id}`, at: 1e12 + seconds * 1000 }))
    write(input, ...readings)
    const job = pipeline('late', {
      from: () => ndjsonSource<Reading>(input),
      flow: (rows) =>
        rows
          .window(tumbling('1m', ({ at }) => at, { outOfOrderness: '0s', futureLimit: '36500d' }))
          .aggregate({ n: count() })
          .map(({ window, n }): Row => ({ id: `${window.startMs}`, n })),
      into: table,
    }) as Pipeline
    await run(job)
    const late = [
      'line 3 aggregate 1 0: it came too late for its window',
      'line 5 aggregate 1 0: it came too late for its window',
    ]
    deepEqual(await lettersIn(table(), 'late'), late)
    const rows = query('select * from t')
    // The window that is still open gives its result again.
    deepEqual(await replayDeadLetters(job), { tried: 2, loaded: 1, dead: 2, skipped: 0 })
    deepEqual(await lettersIn(table(), 'late'), late)
    deepEqual(query('select * from t'), rows)
    // A later run has late events of its own, at other places.
    appendFileSync(input, `${JSON.stringify({ id: 'x', at: 1e12 })}\n`)
    await run(job)
    equal((await lettersIn(table(), 'late')).length, 3)
  })

  it('C64: are refused again in as many epochs as it takes, and counted once', async () => {
    const long = 'x'.repeat(200_000)
    write(input, ...Array.from({ length: 60 }, (_, id) => ({ id: `${id}${long}`, n: 0.5 })))
    const job = pipeline('long', {
      from: () => ndjsonSource<Row>(input),
      flow: (rows) =>
        rows.map((row) => {
          if (row.n < 1) throw new Error('small')
          return row
        }),
      into: table,
    }) as Pipeline
    await run(job)
    deepEqual(await replayDeadLetters(job), { tried: 60, loaded: 0, dead: 60, skipped: 0 })
    equal((await lettersIn(table(), 'long')).length, 60)
    deepEqual(await replayDeadLetters(job, { epochEvents: 7 }), { tried: 60, loaded: 0, dead: 60, skipped: 0 })
    equal((await lettersIn(table(), 'long')).length, 60)
  })

  it('C64: give results of the windows that they go into', async () => {
    write(input, { id: 'a', at: 1e12 }, { id: 'b', at: 1e12 })
    const job = (isMended: boolean): Pipeline =>
      pipeline('results', {
        from: () => ndjsonSource<Reading>(input),
        flow: (rows) =>
          rows
            .map((row) => {
              if (row.id === 'b' && !isMended) throw new Error('no')
              return row
            })
            .aggregate({ n: count() })
            .map(({ n }): Row => ({ id: 'all', n })),
        into: table,
      }) as Pipeline
    await run(job(false))
    deepEqual(query('select * from t'), [{ id: 'all', n: 1 }])
    equal((await replayDeadLetters(job(true))).dead, 0)
    deepEqual(query('select * from t'), [{ id: 'all', n: 2 }])
  })

  it('C60, C64: are of the source that read them, also where two read the same file', async () => {
    write(input, { id: 'a', at: 1e12 + 200_000 }, { id: 'b', at: 1e12 })
    const other = join(folder, `${turn}-other.ndjson`)
    write(other, { id: 'a', at: 1e12 + 200_000 }, { id: 'c', at: 1e12 })
    const into = (): Sink<{ id: string }> => sqliteSink(db, { table: 't', key: ['id'], columns: { id: 'text' } })
    const job = (name: string, second: string, isMended = false): Pipeline => {
      const checked = (rows: Flow<Reading>): Flow<Reading> =>
        rows.map(
          (row) => {
            if (!isMended && row.id !== 'a') throw new Error('not a')
            return row
          },
          { name: 'check' },
        )
      return pipeline(name, {
        from: () => ndjsonSource<Reading>(input),
        flow: (rows) =>
          checked(rows)
            .merge(checked(flow<Reading>(ndjsonSource<Reading>(second))))
            .map(({ id }) => ({ id })),
        into,
      }) as unknown as Pipeline
    }
    await run(job('same', input))
    deepEqual(await lettersIn(into(), 'same'), ['line 2 check 0: not a', 'line 2 check 1: not a'])
    await run(job('two', other))
    deepEqual(await lettersIn(into(), 'two'), ['line 2 check 1: not a', 'line 2 check 0: not a'])
    deepEqual(await replayDeadLetters(job('two', other, true)), { tried: 2, loaded: 2, dead: 0, skipped: 0 })
    deepEqual(query('select id from t order by id'), [{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  })
})

describe('dead letters that are not whole', () => {
  for (const [name, intoOf] of Object.entries({
    sqlite: () => sqliteSink<{ text: string }>(db, { table: 't', columns: { text: 'text' } }),
    duckdb: () =>
      duckdbSink<{ text: string }>(join(folder, `${turn}.duckdb`), { table: 't', columns: { text: 'text' } }),
  })) {
    it(`X33, X34: are not loaded, now or later, and leave what is whole: ${name}`, async () => {
      const lines = ['x'.repeat(2000), 'a\0b', 'caf\\xe9', Buffer.from('caf\xe9', 'latin1'), 'a']
      writeFileSync(input, Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')])))
      const job = (isMended: boolean): Pipeline =>
        pipeline('whole', {
          from: () => fileSource(input, textLines(), { maxLineBytes: isMended ? 5000 : 1500, malformed: 'reject' }),
          flow: (rows) =>
            rows.map((text) => {
              if (!isMended) throw new Error('no')
              return { text }
            }),
          into: intoOf,
        }) as unknown as Pipeline
      await run(job(false))
      for (const loaded of [2, 0]) {
        deepEqual(await replayDeadLetters(job(true)), { tried: 3 + loaded, loaded, dead: 3, skipped: 0 })
        deepEqual(await lettersIn(intoOf(), 'whole'), [
          'line 1 lines 0: line of 2,000 bytes, limit 1,500: its dead letter keeps only the first 1,024 bytes; to load it, read its source again with a larger maxLineBytes',
          'line 2 lines 0: NUL byte at column 2',
          'line 4 lines 0: not UTF-8: found the byte \\xe9',
        ])
      }
    })
  }
})

describe('the places of dead letters', () => {
  it('C60: are told apart on each branch of a flow, and on both sides of a join', async () => {
    write(input, { id: 'a', at: 1e12 + 200_000 }, { id: 'b', at: 1e12 }, { id: 'c', at: 1e12 })
    const fail = (row: Reading): Reading => {
      if (row.id === 'c') throw new Error('c')
      return row
    }
    const on = { left: ({ id }: Reading) => id, right: ({ id }: Reading) => id }
    const job = pipeline('branches', {
      from: () => ndjsonSource<Reading>(input),
      flow: (rows) => {
        const window = tumbling('1m', ({ at }: Reading) => at, { outOfOrderness: '0s', futureLimit: '36500d' })
        const [left, right] = [rows.map(fail, { name: 'check' }), rows.map(fail, { name: 'check' })]
        return left.join(right, { ...on, window, name: 'pairs' }).map(([{ id }]): Row => ({ id, n: 1 }))
      },
      into: table,
    }) as Pipeline
    await run(job)
    deepEqual(await lettersIn(table(), 'branches'), [
      'line 2 pairs 1: it came too late for its window',
      'line 2 pairs 2: it came too late for its window',
      'line 3 check 1: c',
      'line 3 check 2: c',
    ])
  })

  it('C60: are those of events, whatever a user calls his own', async () => {
    write(input, { id: 'a', kind: 'event', value: 1, origin: 'web' })
    const job = pipeline('named', {
      from: () => ndjsonSource<Row>(input),
      flow: (rows) =>
        rows
          .batch({ size: 1 })
          .flatMap((all) => [...all])
          .map(() => {
            throw new Error('no')
          }),
      into: table,
    }) as Pipeline
    await run(job)
    deepEqual(await lettersIn(table(), 'named'), ['result map 3 0: no'])
    deepEqual(query('select raw from dead_letters'), [{ raw: '{"id":"a","kind":"event","value":1,"origin":"web"}' }])
  })

  it('C62: go on counting after a reset that keeps letters', async () => {
    write(input, ...[1, 2, 3].map((n) => ({ id: `${n}`, n })))
    const job = pipeline('reset', {
      from: () => ndjsonSource<Row>(input),
      flow: (rows) =>
        rows
          .map((row) => {
            if (row.n === 1) throw new Error('one')
            return row
          })
          .keyBy(({ id }) => id)
          .aggregate({ n: count() })
          .map(({ key }): Row => {
            throw new Error(`no ${key}`)
          }),
      into: table,
    }) as Pipeline
    const numbers = (): unknown[] =>
      query(`select file = '' as isResult, "offset" as n from dead_letters order by 1, 2`)
    await run(job)
    deepEqual(numbers(), [
      { isResult: 0, n: 0 },
      { isResult: 1, n: 0 },
      { isResult: 1, n: 1 },
    ])
    for (const further of [2, 4]) {
      const inspector = await inspectorOf(table() as Sink<unknown>, 'reset')
      await inspector.reset({ deadLetters: false })
      await inspector.close()
      await run(job)
      deepEqual(numbers(), [
        { isResult: 0, n: 0 },
        ...Array.from({ length: further + 2 }, (_, n) => ({ isResult: 1, n })),
      ])
    }
  })
})
