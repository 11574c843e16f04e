import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deadLetter } from '../connect/origin.ts'
import { NO_TOTALS } from '../connect/totals.ts'
import { type Level, lineLogger } from '../observe/log.ts'
import type { RunEvent } from './report.ts'
import { RunLog } from './run-log.ts'

function setUp(level: Level = 'info') {
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line))
  const log = new RunLog(lineLogger({ format: 'json', level, write, wallMs: () => 0 }), 'orders')
  log.begin({ ...NO_TOTALS, read: 1000, loaded: 1000 })
  return { log, lines }
}

const rejected = (line: number, reason = 'no price', source = 'orders.csv'): RunEvent => ({
  kind: 'dead-letter',
  letter: deadLetter({ source, line, offset: line * 10, raw: 'the raw form' }, 'priced', reason),
})

const committed = (epoch: number, read: number, dead: number): RunEvent => ({
  kind: 'committed',
  epoch,
  totals: { ...NO_TOTALS, read: 1000 + read, loaded: 1000 + read - dead, dead },
  tookMs: 3,
})

describe('RunLog', () => {
  it('writes one line for each epoch, with what it added', () => {
    const { log, lines } = setUp()
    log.onEvent(committed(8, 50, 0))
    log.onEvent(committed(9, 80, 0))
    deepEqual(
      lines.map(({ msg, pipeline, event, epoch, read, loaded, tookMs }) => [
        msg,
        pipeline,
        event,
        epoch,
        read,
        loaded,
        tookMs,
      ]),
      [
        ['committed epoch 8', 'orders', 'committed', 8, 50, 50, 3],
        ['committed epoch 9', 'orders', 'committed', 9, 30, 30, 3],
      ],
    )
  })

  it('tells where dead letters come from, with the epoch that has them, and never their raw form', () => {
    const { log, lines } = setUp()
    log.onEvent(rejected(7))
    log.onEvent(committed(8, 5, 1))
    deepEqual(lines[0], {
      level: 'warn',
      time: 0,
      pipeline: 'orders',
      event: 'dead-letters',
      epoch: 8,
      count: 1,
      letters: [{ source: 'orders.csv', line: 7, offset: 70, step: 'priced', reason: 'no price' }],
      msg: 'epoch 8 has 1 dead letter',
    })
  })

  it('tells of twenty dead letters of an epoch, and counts the others', () => {
    const { log, lines } = setUp()
    for (let line = 1; line <= 1000; line += 1) log.onEvent(rejected(line))
    log.onEvent(committed(8, 1000, 1000))
    equal(lines.length, 2)
    equal(lines[0]?.count, 1000)
    deepEqual(Array.isArray(lines[0]?.letters) && lines[0].letters.length, 20)
  })

  it('forgets dead letters that were not committed: they come again', () => {
    const { log, lines } = setUp()
    log.onEvent(rejected(7))
    log.onEvent({ kind: 'retrying', error: new Error('gone'), why: 'gone; trying again', attempt: 1, waitMs: 10 })
    log.onEvent(committed(8, 5, 0))
    deepEqual(
      lines.map(({ level, event }) => [level, event]),
      [
        ['warn', 'retrying'],
        ['info', 'committed'],
      ],
    )
  })

  it('shows no credentials, and keeps what it shows in one line', () => {
    const lines: string[] = []
    const record = (fields: object, message: string): void => void lines.push(`${JSON.stringify(fields)} ${message}`)
    const own = { debug: record, info: record, warn: record, error: record }
    // A logger that takes nothing out by itself.
    const log = new RunLog({ ...own, child: () => ({ ...own, child: () => ({}) as never }) }, 'orders')
    const secret = 'amqp://ann:hunter2@host/x\n\u001b[2J'
    log.onEvent({ kind: 'started', source: secret, sink: secret, resumedEpoch: undefined })
    log.onEvent({ kind: 'split-opened', split: secret, note: secret, resumedBytes: 0, sizeBytes: 1 })
    log.onEvent({ kind: 'noted', split: secret, note: secret })
    log.onEvent(rejected(1, secret, secret))
    log.onEvent(committed(8, 5, 1))
    log.onEvent({ kind: 'retrying', error: new Error(secret), why: secret, attempt: 1, waitMs: 1 })
    log.failed(new Error(secret))
    ok(lines.length >= 6)
    const text = lines.join('')
    deepEqual(
      ['hunter2', '\n', '\u001b'].filter((unwanted) => text.includes(unwanted)),
      [],
    )
  })

  it('tells of splits only where that is wanted', () => {
    const opened: RunEvent = { kind: 'split-opened', split: 'a', note: undefined, resumedBytes: 0, sizeBytes: 1 }
    const [quiet, loud] = [setUp(), setUp('debug')]
    for (const { log } of [quiet, loud]) log.onEvent(opened)
    deepEqual([quiet.lines.length, loud.lines.length], [0, 1])
  })
})
