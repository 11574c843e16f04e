import { equal, match } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_TOTALS } from '../../connect/totals.ts'
import type { RunReport } from '../../pipeline/report.ts'
import { summaryText } from './summary.ts'

const run = { ...NO_TOTALS, read: 12_000, loaded: 11_900, dead: 60, filtered: 0, blank: 40, invalidUtf8: 2 }
const REPORT: RunReport = {
  pipeline: 'orders',
  outcome: 'finished',
  run,
  overall: run,
  doneBytes: 3_000_000,
  elapsedMs: 1500,
  epoch: 2,
  splits: { all: 1, unchanged: 0 },
  top: {},
  firstDeadLetters: [],
  sinkKind: 'sqlite',
  promised: { guarantee: 'exactly-once', resultsAgain: [] },
  isUnbounded: false,
  sink: 'table orders in out.db',
  deadLetters: 'table dead_letters in out.db',
}

describe('summaryText', () => {
  it('says what became of every record', () => {
    equal(
      summaryText(REPORT),
      `orders: finished in 1.5 s, committed to table orders in out.db

  read         12,000  8,000 a second, 2.0 MB a second
  loaded       11,900
  dead             60  rejected, with their reasons: table dead_letters in out.db
  filtered          0
  blank            40  blank lines
  invalidUtf8       2  with bytes that are not text in the encoding
`,
    )
  })

  it('says where loading had ended where there is nothing new', () => {
    const overall = run
    const report = { ...REPORT, run: NO_TOTALS, overall, doneBytes: 0, splits: { all: 5, unchanged: 5 } }
    equal(
      summaryText(report, { notes: ['a.log: nothing new since byte 812', 'b.log: nothing new since byte 9'] }),
      `orders: finished in 1.5 s, committed to table orders in out.db

  nothing new: 5 of 5 already loaded up to the end
    a.log: nothing new since byte 812
    b.log: nothing new since byte 9
    and 3 more

  in all runs: 12,000 read = 11,900 loaded + 60 dead + 0 filtered + 40 blank
`,
    )
  })

  it('adds what earlier runs did, and what a flatMap made', () => {
    const overall = { ...run, read: 20_000, derived: 5, loaded: 19_905 }
    match(
      summaryText({ ...REPORT, overall }),
      /in all runs: 20,000 read \+ 5 derived = 19,905 loaded \+ 60 dead \+ 0 filtered \+ 40 blank/,
    )
  })

  it('takes credentials out', () => {
    match(
      summaryText({ ...REPORT, sink: 'orders in postgres://u:p%40ss@h/db' }),
      /committed to orders in postgres:\/\/\*\*\*@h\/db\n/,
    )
  })

  it('lists the commonest values, escaped, and says which counts are estimates', () => {
    const top = {
      path: { values: [['/', 1500] as const, ['/\x1b[2J\n', 7] as const], distinct: 2, exact: true },
      agent: { values: [['curl', 3] as const], distinct: 9, exact: false },
      none: { values: [], distinct: 0, exact: true },
    }
    const text = summaryText({ ...REPORT, top })
    match(text, /\n {2}path \(2 different\)\n {4}1,500 {2}\/\n {8}7 {2}\/\\x1b\[2J\\x0a\n/)
    match(text, /\n {2}agent \(counts are estimates\)\n {4}3 {2}curl\n$/)
  })

  it('U50: says why records were rejected, the most common reasons first', () => {
    const text = summaryText(
      { ...REPORT, run: { ...REPORT.run, dead: 2 } },
      {
        reasons: [
          ['json: not valid JSON', 1200],
          ['csv: x\n', 1],
        ],
      },
    )
    match(text, /\n\n {2}rejected because\n {5}1,200 {2}json: not valid JSON\n {9}1 {2}csv: x\\x0a\n/)
  })
})
