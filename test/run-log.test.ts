import { deepEqual, equal } from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { pino } from 'pino'
import { startPipeline } from 'sluice'
import { Job } from './support/job.ts'
import { readOnDemand } from './support/read-on-demand.ts'

const parsed = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('the log of a run', () => {
  const job = new Job(
    'fileSource, param, pipeline, sqliteSink, textLines',
    `export default pipeline('lines', {
      from: () => fileSource('in.log', textLines()),
      flow: (lines) => lines.map((text) => { if (text === 'bad') throw new Error('a bad line'); return { text } }, { name: 'row' }),
      into: () => sqliteSink('out.db', { table: 'lines', columns: { text: 'text' } }),
    })`,
  )
  after(() => job[Symbol.dispose]())
  job.write('in.log', 'good\nbad\ngood\n')

  it('of the command line has the start, dead letters, each commit and the end, as JSON', async () => {
    const { code, stderr } = await job.call('run', ['--log', 'json'])
    equal(code, 0)
    const lines = parsed(stderr)
    deepEqual(
      lines.map(({ level, event, epoch }) => [level, event, epoch]),
      [
        ['info', 'started', undefined],
        ['warn', 'dead-letters', 1],
        ['info', 'committed', 1],
        ['info', 'ended', 1],
      ],
    )
    const offset = 'good\n'.length
    deepEqual(lines[1]?.letters, [{ source: job.path('in.log'), line: 2, offset, step: 'row', reason: 'a bad line' }])
  })

  it('of the command line has what is urgent enough', async () => {
    job.write('in.log', 'good\nbad\ngood\nbad\n')
    const { stderr } = await job.call('run', ['--log', 'json', '--log-level', 'warn'])
    deepEqual(
      parsed(stderr).map(({ level }) => level),
      ['warn'],
    )
  })

  it('of the command line tells of a failure once', async () => {
    job.write('in.log', 'good\nbad\ngood\nbad\nbad\n')
    const { code, stderr } = await job.call('run', ['--log', 'json', '--strict'])
    equal(code, 65)
    deepEqual(
      parsed(stderr)
        .filter(({ level }) => level === 'error')
        .map((line) => line.exitCode),
      [65],
    )
  })

  it('is written by pino, where a program hands it in', async () => {
    const written: string[] = []
    const log = pino({ level: 'info' }, { write: (line: string) => void written.push(line) })
    const source = readOnDemand()
    const run = await startPipeline(source.pipeline, { log, epochMs: 1 })
    source.give(3)
    await source.committed(3)
    await source.settled()
    await run.drain('the test is over')
    deepEqual(
      parsed(written.join('')).map(({ level, pipeline, msg }) => [level, pipeline, msg]),
      [
        [30, 'numbers', 'loading numbers into rows'],
        [30, 'numbers', 'committed epoch 1'],
        [30, 'numbers', 'stopping: the test is over'],
        [30, 'numbers', 'drained after 3 records: 3 read = 3 loaded + 0 dead + 0 filtered + 0 blank'],
      ],
    )
  })
})
