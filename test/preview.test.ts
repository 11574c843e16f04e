import { deepEqual, equal, match } from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import {
  count,
  csvSource,
  type Flow,
  flow,
  lines,
  ndjsonSource,
  pipeline,
  sqliteSink,
  tailSource,
  textLines,
  tumbling,
} from 'sluice'
import { previewPipeline } from '../src/pipeline/preview.ts'

interface Row {
  readonly id: number
  readonly at: number
}

describe('a preview', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-preview-'))
  const input = join(folder, 'in.ndjson')
  const others = join(folder, 'others.csv')
  writeFileSync(
    input,
    Array.from({ length: 100 }, (_, id) => `${JSON.stringify({ id, at: id * 100 })}\n`)
      .concat('broken\n')
      .join(''),
  )
  writeFileSync(others, 'id,name\n1,ann\n2,ben\n')
  after(() => rmSync(folder, { recursive: true, force: true }))

  const db = join(folder, 'out.db')
  const from = ndjsonSource<Row>(input)
  const into = sqliteSink(db, { table: 't' })

  async function previewOf(make: (rows: Flow<Row>) => Flow<unknown, unknown>, records = 10) {
    const [rows, reasons]: [unknown[], string[]] = [[], []]
    const job = pipeline('preview', { from, flow: make, into, results: 'append' })
    const read = await previewPipeline(job, {
      params: new Map(),
      records,
      waitMs: 200,
      onRow: (row) => void rows.push(row),
      onLetter: ({ reason }) => void reasons.push(reason),
    })
    return { read, rows, reasons }
  }

  it('C110: goes to the end of the flow, as if there were no more records', async () => {
    const windows = await previewOf((rows) =>
      rows
        .window(tumbling('500ms', ({ at }) => at))
        .aggregate({ n: count() })
        .map(({ window, n }) => ({ start: window.startMs, n })),
    )
    deepEqual(windows, {
      read: 10,
      rows: [
        { start: 0, n: 5 },
        { start: 500, n: 5 },
      ],
      reasons: [],
    })
    const names = flow(csvSource(others, { columns: { id: 'integer', name: 'text' } }))
    const joined = await previewOf((rows) =>
      rows
        .join(names, { left: ({ id }) => id, right: ({ id }) => id ?? -1 })
        .map(([{ id }, { name }]) => ({ text: `${id} ${name}` })),
    )
    deepEqual([joined.read, joined.rows], [12, [{ text: '1 ann' }, { text: '2 ben' }]])
  })

  it('C110: shows dead letters of every step', async () => {
    const { rows, reasons } = await previewOf((all) =>
      all
        .keyBy(({ id }) => id)
        .aggregate({ n: count() })
        .map(({ key }) => {
          if (key === 3) throw new Error('three')
          return { key }
        }),
    )
    deepEqual([rows.length, reasons], [9, ['three']])
    const whole = await previewOf((all) => all, 1000)
    equal(whole.read, 101)
    match(whole.reasons.join(), /not valid JSON|not valid JSON/)
  })

  it('C110: writes nothing, and commits nothing', async () => {
    await previewOf((rows) => rows)
    equal(existsSync(db), false)
  })

  it('C110: ends where a source has no more for now', async () => {
    const log = join(folder, 'a.log')
    writeFileSync(log, 'one\ntwo\n')
    const rows: unknown[] = []
    const job = pipeline('live', {
      from: tailSource(log, textLines()),
      flow: (all) => all.map((text) => ({ text })),
      into: sqliteSink(db, { table: 't' }),
    })
    const options = { params: new Map(), records: 10, waitMs: 300, onLetter: () => {} }
    equal(await previewPipeline(job, { ...options, onRow: (row) => void rows.push(row) }), 2)
    deepEqual(rows, [{ text: 'one' }, { text: 'two' }])
    const plain = pipeline('plain', { from: lines(log), flow: (all) => all.map((id) => ({ id })), into })
    equal(await previewPipeline(plain, { ...options, records: 1, onRow: () => {} }), 1)
  })
})
