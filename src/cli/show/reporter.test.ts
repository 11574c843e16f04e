import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../base/clock.ts'
import { deadLetter } from '../../connect/origin.ts'
import { NO_TOTALS } from '../../connect/totals.ts'
import { lineLogger } from '../../observe/log.ts'
import type { Progress, RunEvent } from '../../pipeline/report.ts'
import { Reporter } from './reporter.ts'

const PROGRESS: Progress = {
  pipeline: 'orders',
  doneBytes: 50,
  totalBytes: 100,
  read: 5,
  dead: 0,
  elapsedMs: 0,
  committed: NO_TOTALS,
  epoch: 0,
  split: undefined,
}

interface Setup {
  readonly isTTY?: boolean
  readonly isQuiet?: boolean
  readonly isLive?: boolean
  readonly columns?: number
  readonly env?: Readonly<Record<string, string>>
}

/** A reporter, what it has written, and a clock that stands where it was put. */
function setUp({ isTTY = false, isQuiet = false, isLive = true, columns = 80, env = {} }: Setup = {}) {
  const written: string[] = []
  const time = { nowMs: 0 }
  const clock: Clock = { nowMs: () => time.nowMs, wallMs: () => 0, sleep: () => Promise.reject(new Error('no waits')) }
  const stderr = { write: (text: string) => written.push(text), isTTY, columns }
  const log = lineLogger({ format: 'text', write: stderr.write, wallMs: clock.wallMs })
  const io = { stdout: stderr, stderr, env }
  const reporter = new Reporter({ io, log, isQuiet, isLive, clock })
  return { reporter, written, time }
}

function rejected(line: number, reason = 'no date') {
  const origin = { source: 'a.log', line, offset: 0, raw: '' }
  return { kind: 'dead-letter', letter: deadLetter(origin, 'access-log', reason) } as const
}

function opened(split: string, resumedBytes: number, note?: string): RunEvent {
  return { kind: 'split-opened', split, note, resumedBytes, sizeBytes: 5000 }
}

describe('Reporter on a terminal', () => {
  it('redraws one line, and clears it before it says something', () => {
    const { reporter, written } = setUp({ isTTY: true, env: { NO_COLOR: '1' } })
    reporter.look(PROGRESS)
    reporter.say('hello')
    reporter.stop()
    deepEqual(written, ['\r\x1b[2Korders  ████████░░░░░░░░  50 %  50 B of 100 B  5 events', '\r\x1b[2K', 'hello\n'])
  })

  it('leaves no line behind', () => {
    const { reporter, written } = setUp({ isTTY: true })
    reporter.look(PROGRESS)
    reporter.stop()
    reporter.stop()
    equal(written.filter((text) => text === '\r\x1b[2K').length, 1)
    equal(written.at(-1), '\r\x1b[2K')
  })

  it('colours the bar, but not where NO_COLOR is set', () => {
    const coloured = setUp({ isTTY: true })
    coloured.reporter.look(PROGRESS)
    ok(coloured.written.join('').includes('\x1b[36m'))
    const plain = setUp({ isTTY: true, env: { NO_COLOR: '1' } })
    plain.reporter.look(PROGRESS)
    ok(!plain.written.join('').includes('\x1b[36m'))
  })
})

describe('Reporter elsewhere', () => {
  for (const [where, setup] of Object.entries<Setup>({
    'in a file': {},
    'on a dumb terminal': { isTTY: true, env: { TERM: 'dumb' } },
    'where the log is read by machines': { isTTY: true, isLive: false },
  })) {
    it(`writes plain lines ${where}: the first after 2 s, then every 5 s`, () => {
      const { reporter, written, time } = setUp(setup)
      reporter.watch(() => PROGRESS)
      for (time.nowMs = 0; time.nowMs <= 12_000; time.nowMs += 100) reporter.look(PROGRESS)
      reporter.stop()
      deepEqual(written, Array(3).fill('orders  ████████░░░░░░░░  50 %  50 B of 100 B  5 events\n'))
    })
  }
})

describe('Reporter', () => {
  it('says what is loaded into what, and from where it goes on', () => {
    const { reporter, written } = setUp()
    reporter.onEvent({ kind: 'started', source: 'a\x1b.log', sink: 'out.db', resumedEpoch: undefined })
    reporter.onEvent({ kind: 'started', source: 'a.log', sink: 'out.db', resumedEpoch: 7 })
    deepEqual(written, ['loading a\\x1b.log into out.db\n', 'loading a.log into out.db, continuing after epoch 7\n'])
  })

  it('tells of the first three rejected records, each on one line, then that it only counts', () => {
    const { reporter, written } = setUp()
    reporter.onEvent(rejected(1))
    reporter.onEvent(rejected(2, 'agent \x1b[2J\r\n\x07\u202e'))
    for (let line = 3; line < 9; line += 1) reporter.onEvent(rejected(line))
    deepEqual(written, [
      'a.log:1: rejected by access-log: no date\n',
      'a.log:2: rejected by access-log: agent \\x1b[2J\\x0d\\x0a\\x07\\u202e\n',
      'a.log:3: rejected by access-log: no date\n',
      'further rejected records are only counted\n',
    ])
  })

  it('says where the first three splits go on that were read in part', () => {
    const { reporter, written } = setUp()
    reporter.onEvent(opened('done', 90, 'nothing new'))
    reporter.onEvent(opened('new', 0))
    for (const split of ['a\x1b', 'b', 'c', 'd']) reporter.onEvent(opened(split, 1200))
    deepEqual(written, [
      'continuing in a\\x1b after 1,200 of 5,000 bytes\n',
      'continuing in b after 1,200 of 5,000 bytes\n',
      'continuing in c after 1,200 of 5,000 bytes\n',
    ])
  })

  it('keeps for the summary what the first splits say, and which was opened last', () => {
    const { reporter } = setUp()
    for (const split of ['a', 'b', 'c', 'd']) reporter.onEvent(opened(split, 90, 'nothing new'))
    reporter.onEvent(opened('e', 0))
    deepEqual(reporter.notes, ['a: nothing new', 'b: nothing new', 'c: nothing new'])
    equal(reporter.lastSplit, 'e')
  })

  it('is still when that is wanted, but for a stop', () => {
    const { reporter, written } = setUp({ isQuiet: true, isTTY: true })
    reporter.watch(() => PROGRESS)
    reporter.onEvent({ kind: 'started', source: 'a.log', sink: 'out.db', resumedEpoch: 7 })
    reporter.onEvent(rejected(1))
    reporter.onEvent({ kind: 'draining', why: 'received SIGINT' })
    reporter.draining('received SIGINT')
    reporter.stop()
    deepEqual(written, ['stopping: received SIGINT; finishing what was read\n'])
  })

  it('U50: writes rarer lines in a long run, and its history every ten minutes', () => {
    const { reporter, written, time } = setUp()
    reporter.watch(() => PROGRESS)
    for (let seconds = 0; seconds <= 3600; seconds += 1) {
      time.nowMs = seconds * 1000
      reporter.look({ ...PROGRESS, elapsedMs: time.nowMs, read: seconds * 10 })
    }
    reporter.stop()
    const history = written.filter((line) => line.startsWith('1970-01-01T00:00Z last 10 m 00 s: 6,000 read'))
    deepEqual([history.length, written.length < 30], [6, true])
  })

  it('U50: writes its history on a terminal above the line, and where machines read', () => {
    for (const setup of [{ isTTY: true }, { isQuiet: false }]) {
      const { reporter, written } = setUp(setup)
      reporter.look(PROGRESS)
      reporter.look({ ...PROGRESS, elapsedMs: 600_000 })
      equal(written.filter((line) => /last 10 m 00 s: 0 read/.test(line)).length, 1)
    }
  })
})
