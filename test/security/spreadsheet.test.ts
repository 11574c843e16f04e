import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { cells } from '../support/cells.ts'
import { Job } from '../support/job.ts'
import { DATA, missingData } from '../support/project.ts'

const CELLS = [
  '=1+1',
  '+1',
  '-1',
  '-1+1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '"=1"',
  ' =1',
  "'=1",
  '\u200b=1',
  '\uff1d1',
  '|',
  '1',
]
/** A cell that begins like this is one that a spreadsheet would run. */
const RUN = /^[\s"\u200b\ufeff]*[=+\-@\uff1d]/

const PARTS = `
export default pipeline('sheet', {
  from: () => ndjsonSource(import.meta.dirname + '/in.ndjson'),
  into: () => csvSink(import.meta.dirname + '/out', { columns: { n: 'integer', text: 'text' }, spreadsheetSafe: SAFE }),
})
`
const NAMES = 'csvSink, ndjsonSource, pipeline, sqliteSink'

async function written(safe: boolean): Promise<string[][]> {
  using job = new Job(NAMES, PARTS.replace('SAFE', String(safe)))
  job.write('in.ndjson', CELLS.map((text, n) => `${JSON.stringify({ n: -n, text })}\n`).join(''))
  const told = await job.here('run', ['--strict'])
  equal(told.code, 0, told.stderr)
  const [part = ''] = readdirSync(job.path('out')).filter((name) => name.endsWith('.csv'))
  return cells(readFileSync(join(job.path('out'), part), 'utf8')).slice(1)
}

describe('CSV for a spreadsheet', () => {
  it('S1: holds texts where a spreadsheet would run formulas, and numbers as numbers', async () => {
    for (const [n, [number, text = '']] of (await written(true)).entries()) {
      const cell = CELLS[n] ?? ''
      equal(number, n === 0 ? '0' : String(-n))
      ok(!RUN.test(text), JSON.stringify(text))
      // The way back: without the one quote that was put in front, it is what it was.
      equal(text.replace(/^'/, ''), cell)
    }
  })

  it('S1: is asked for: data on its way to programs is as it was', async () => {
    deepEqual(
      (await written(false)).map(([, text]) => text),
      CELLS,
    )
  })
})

describe('Exported dead letters', () => {
  const code = `
export default pipeline('letters', {
  from: () => ndjsonSource(import.meta.dirname + '/=in.ndjson'),
  flow: (rows) => rows.map((row) => { throw new Error(row.text) }, { name: '@step' }),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't', columns: { n: 'integer' } }),
})
`

  it('S1: hold texts in CSV where a spreadsheet would run formulas: reason, step and record', {
    skip: missingData('csv-edge'),
  }, async () => {
    using job = new Job(NAMES, code)
    const payloads = readFileSync(join(DATA, 'csv-edge', 'formula-injection.txt'), 'utf8').split(/\r?\n/)
    const texts = [...CELLS, ...payloads].filter((text) => text !== '' && !/[\r\n]/.test(text))
    const records = texts.map((text) => JSON.stringify({ text }))
    // Records that are formulas themselves, and not valid JSON.
    job.write('=in.ndjson', [...records, ...payloads.filter((text) => text !== ''), '=1+1', '\t=1'].join('\n'))
    equal((await job.here('run', ['--quiet'])).code, 0)
    const { stdout } = await job.here('dead-letters', ['export', '--format', 'csv'])
    const rows = cells(stdout).slice(1)
    ok(rows.length > 2 * payloads.filter((text) => text !== '').length)
    for (const cell of rows.flat()) ok(!RUN.test(cell), JSON.stringify(cell))
    match(rows.at(-1)?.at(-1) ?? '', /^'\t=1$/)
  })
})
