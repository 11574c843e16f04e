import { deepEqual, equal, match } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { type Outcome, sluice } from './support/cli.ts'

const folder = tempFolder('sluice-run-flow-')
const job = (name: string, flow: string): string => {
  const path = join(folder, `${name}.ts`)
  writeFileSync(path, `import { count, flow, lines, tumbling } from 'sluice'\nexport default ${flow}\n`)
  return path
}
const text = join(folder, 'text.txt')
writeFileSync(text, 'a b\nb\n')

const words = job(
  'words',
  `flow(lines(${JSON.stringify(text)})).flatMap((line) => line.split(' ')).keyBy((word) => word).aggregate({ n: count() })`,
)
const picky = job('picky', `flow([1, 2, 3]).map((n) => { if (n === 2) throw new Error('two is too many'); return n })`)
const endless = job('endless', `flow(function* () { for (let n = 0; ; n += 1) yield n }).filter((n) => n === 0)`)
/** Says on standard error that its source waits; the timer keeps the process alive. */
const waiting = `async function* () { yield 1; yield 2; console.error('waiting'); await new Promise((resolve) => setTimeout(resolve, 3_600_000)) }`
const quiet = job('quiet', `flow(${waiting}).aggregate({ n: count() })`)
const stuck = job('stuck', `flow(${waiting}).mapAsync(() => new Promise(() => {})).aggregate({ n: count() })`)
const linesOf = ({ stdout }: Outcome): string[] => stdout.trimEnd().split('\n').sort()

describe('sluice run of a flow', () => {
  it('prints its events as lines of JSON, and how many there were', async () => {
    for (const threads of [[], ['--threads', '2']]) {
      const outcome = await sluice(['run', words, ...threads])
      deepEqual([outcome.code, linesOf(outcome)], [0, ['{"key":"a","n":1}', '{"key":"b","n":2}']])
      match(outcome.stderr, /^2 events in \d+\.\d\d s\n$/)
    }
  })

  it('says nothing beside them when it is to be quiet', async () => {
    const { stderr, stdout } = await sluice(['run', job('one', `flow([{ day: new Date(0) }])`), '--quiet'])
    deepEqual([stderr, stdout], ['', '{"day":"1970-01-01T00:00:00.000Z"}\n'])
  })

  it('names operator, event and place where a function throws, with exit code 65', async () => {
    const { code, stderr } = await sluice(['run', picky])
    equal(code, 65)
    match(stderr, /^sluice: Cannot continue: map 1 failed at 2: two is too many \(file:\S+picky\.ts:2:\d+\)\n$/)
    const threads = await sluice(['run', picky, '--threads', '2'])
    equal(threads.code, 65)
    match(threads.stderr, /^sluice: Worker \d of 2 failed in map 1 at 2: two is too many\n$/)
  })

  it('counts late events', async () => {
    const late = job('late', `flow([0, 5000, 10]).window(tumbling('1s', (n) => n)).aggregate({ n: count() })`)
    match((await sluice(['run', late])).stderr, /2 events, 1 late in /)
  })

  it('refuses parameters: a flow has none', async () => {
    const { code, stderr } = await sluice(['run', words, '--param', 'a=1'])
    equal(code, 64)
    match(stderr, /words\.ts/)
  })

  it('is stopped by a signal, with its exit code', async () => {
    for (const threads of [[], ['--threads', '2']]) {
      const { code, stderr } = await sluice(['run', endless, ...threads], {
        // Its first event says that it is under way.
        onStart: (child) => void child.stdout?.once('data', () => child.kill('SIGINT')),
      })
      equal(code, 130)
      match(stderr, /stopped: received SIGINT/)
    }
  })

  it('D133: a first signal gives the results of what was read, also of a source that waits', async () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      for (const threads of [[], ['--threads', '2']]) {
        const outcome = await sluice(['run', quiet, ...threads], {
          onStart: (child) => void child.stderr?.once('data', () => child.kill(signal)),
        })
        deepEqual([outcome.code, outcome.stdout], [code, '{"n":2}\n'])
        match(outcome.stderr, new RegExp(`draining: received ${signal}`))
        match(outcome.stderr, new RegExp(`stopped: received ${signal}`))
      }
    }
  })

  it('D133: a second signal ends it at once, whatever it waits for', async () => {
    for (const threads of [[], ['--threads', '2']]) {
      const { code, stdout, stderr } = await sluice(['run', stuck, ...threads], {
        onStart: (child) => {
          child.stderr?.once('data', () => child.kill('SIGINT'))
          child.stderr?.on('data', (text: string) => void (text.includes('draining') && child.kill('SIGINT')))
        },
      })
      deepEqual([code, stdout], [130, ''])
      match(stderr, /stopped: second interrupt: stopping now/)
    }
  })

  it('F33: ends with 0 where its reader has seen enough, and waits for nothing', async () => {
    const many = job('many', 'flow(Array.from({ length: 200_000 }, (_, n) => ({ n, text: "x".repeat(100) })))')
    const outcome = await sluice(['run', many, '--quiet'], {
      onStart: (child) => void child.stdout?.once('data', () => child.stdout?.destroy()),
    })
    deepEqual([outcome.code, outcome.stderr], [0, ''])
  })

  it('is drawn and explained without being run', async () => {
    const drawn = await sluice(['graph', endless])
    deepEqual([drawn.code, drawn.stdout.split('\n')[0]], [0, 'flowchart LR'])
    const told = await sluice(['explain', words, '--threads', '2'])
    equal(told.code, 0)
    match(told.stdout, /layer 3, 2 stages: aggregate \(merging\)\n {2}takes from layer 2: equal keys meet\nruns on 2/)
  })
})
