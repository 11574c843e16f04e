import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readExplainOptions, readRunOptions, readServeOptions } from './options.ts'

describe('readRunOptions', () => {
  it('reads a run', () => {
    const options = readRunOptions(['job.ts', '--param', 'a=1', '-p', 'b=x=y', '--max-dead-letters', '2.5%', '--json'])
    deepEqual(options, {
      file: 'job.ts',
      envFiles: [],
      params: new Map([
        ['a', '1'],
        ['b', 'x=y'],
      ]),
      json: true,
      quiet: false,
      help: false,
      log: 'text',
      logLevel: 'info',
      maxDeadLetters: { share: 0.025 },
      epochMs: undefined,
      threads: undefined,
      shard: undefined,
      dashboard: undefined,
      drainTimeoutMs: 30_000,
      on: undefined,
    })
  })

  it('takes an engine, and its options as numbers and truth values where they are written so', () => {
    const argv = ['job.ts', '--on', 'flink:8099', '--engine-option', 'parallelism=2', '--engine-option', 'job_name=a=b']
    deepEqual(readRunOptions([...argv, '--engine-option', 'streaming=false']).on, {
      address: 'flink:8099',
      workerPool: undefined,
      options: { parallelism: 2, job_name: 'a=b', streaming: false },
    })
  })

  it('takes the address of a dashboard behind the option or beside it, and no other word', () => {
    const at = (...argv: string[]) => {
      const { dashboard, file } = readRunOptions(argv)
      return [dashboard?.host, dashboard?.port, file]
    }
    deepEqual(at('job.ts', '--dashboard', '4577'), [undefined, 4577, 'job.ts'])
    deepEqual(at('--dashboard', '0.0.0.0:4577', 'job.ts'), ['0.0.0.0', 4577, 'job.ts'])
    deepEqual(at('--dashboard', '[::1]:4577', 'job.ts'), ['::1', 4577, 'job.ts'])
    deepEqual(at('job.ts', '--dashboard=4577'), [undefined, 4577, 'job.ts'])
    deepEqual(at('--dashboard', 'job.ts'), [undefined, undefined, 'job.ts'])
    deepEqual(at('job.ts', '--dashboard'), [undefined, undefined, 'job.ts'])
    deepEqual(readServeOptions(['jobs', '--dashboard', '4577']).dashboard, { host: undefined, port: 4577 })
  })

  it('takes --strict for a limit of none', () => {
    deepEqual(readRunOptions(['job.ts', '--strict']).maxDeadLetters, { count: 0 })
  })

  const wrong: Record<string, readonly [argv: string[], message: string]> = {
    'no file': [[], 'sluice run needs a file: sluice run FILE'],
    'two files': [['a.ts', 'b.ts'], 'sluice run takes one file: found a.ts and b.ts'],
    'an engine without a port': [['a.ts', '--on', 'flink'], '--on takes HOST:PORT: found flink'],
    'threads on an engine': [
      ['a.ts', '--on', 'flink:8099', '--threads', '2'],
      '--threads is about a run in this process: leave out --on, or it',
    ],
    'a pool without an engine': [
      ['a.ts', '--worker-pool', 'flink:50000'],
      '--worker-pool is about an engine: give --on HOST:PORT as well',
    ],
    'a misspelled option': [['a.ts', '--strct'], 'sluice run has no option --strct: did you mean --strict?'],
    'an unknown option': [['a.ts', '--frobnicate'], 'sluice run has no option --frobnicate: see sluice help run'],
    'a parameter without a value': [['a.ts', '--param', 'input'], '--param must be name=value: found input'],
    'a parameter twice': [['a.ts', '-p', 'a=1', '-p', 'a=2'], '--param a is given twice'],
    'an invalid limit': [
      ['a.ts', '--max-dead-letters', 'few'],
      '--max-dead-letters must be a count or a percentage, such as 100 or 1%: found few',
    ],
    'more than all': [
      ['a.ts', '--max-dead-letters', '101%'],
      '--max-dead-letters must be a count or a percentage, such as 100 or 1%: found 101%',
    ],
    'strict with a limit': [
      ['a.ts', '--strict', '--max-dead-letters', '1'],
      '--strict allows no dead letter and --max-dead-letters some: give one of them',
    ],
    'a log format': [['a.ts', '--log', 'xml'], '--log takes text, json: found xml'],
    'no time': [['a.ts', '--epoch-ms', '0'], '--epoch-ms must be a number from 1 to 2147483647: found 0'],
    'a longer time than a timer can wait': [
      ['a.ts', '--drain-timeout', '1e9'],
      '--drain-timeout must be a number from 0 to 2147483: found 1e9',
    ],
    'an option without its value': [
      ['a.ts', '--epoch-ms'],
      '--epoch-ms needs a value; one that begins with - is given as --epoch-ms=VALUE',
    ],
    'a value where none is wanted': [['a.ts', '--json=yes'], "sluice run: Option '--json' does not take an argument"],
    'an option where a value is wanted': [
      ['a.ts', '--param', '--json'],
      '--param needs a value; one that begins with - is given as --param=VALUE',
    ],
  }
  for (const [name, [argv, message]] of Object.entries(wrong)) {
    it(`refuses ${name}`, () => {
      throws(() => readRunOptions(argv), { code: 'COMMAND_INVALID', message })
    })
  }
})

describe('readExplainOptions', () => {
  it('needs no file for help', () => {
    deepEqual(readExplainOptions('graph', ['--help']), {
      file: undefined,
      envFiles: [],
      params: new Map(),
      help: true,
      threads: undefined,
      isOnEngine: false,
    })
  })

  it('refuses what only a run takes', () => {
    throws(() => readExplainOptions('graph', ['job.ts', '--json']), {
      code: 'COMMAND_INVALID',
      message: 'sluice graph has no option --json: see sluice help graph',
    })
  })
})
