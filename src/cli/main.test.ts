import { equal, match } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { main } from './main.ts'

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function say(...argv: string[]): Promise<Said> {
  const said = { stdout: '', stderr: '' }
  const out = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (said[name] += text) })
  return { code: await main(argv, { stdout: out('stdout'), stderr: out('stderr'), env: {} }), ...said }
}

describe('sluice', () => {
  it('explains itself', async () => {
    for (const argv of [['--help'], ['-h'], ['help'], ['help', 'help']]) {
      const { code, stdout, stderr } = await say(...argv)
      equal(code, 0)
      equal(stderr, '')
      match(stdout, /^Sluice loads data .*Usage.*Examples.*Options of run.*Exit codes/s)
      equal(
        stdout
          .split('\n')
          .filter((line) => line.length > 120)
          .join('\n'),
        '',
      )
    }
  })

  it('explains its commands, with a file or without', async () => {
    for (const argv of [
      ['help', 'run'],
      ['run', '--help'],
      ['run', '-h', '--json'],
      ['--help', 'run'],
    ]) {
      match((await say(...argv)).stdout, /^sluice run FILE \[options\]/)
    }
    for (const argv of [
      ['help', 'graph'],
      ['graph', '--help'],
    ]) {
      match((await say(...argv)).stdout, /^sluice graph FILE/)
    }
  })

  it('explains itself to who gives it nothing to do, as an error', async () => {
    for (const argv of [[], ['run'], ['graph']]) {
      const { code, stdout, stderr } = await say(...argv)
      equal(code, 64)
      equal(stdout, '')
      match(stderr, /sluice run FILE|sluice graph FILE/)
    }
  })

  it('says its version', async () => {
    match((await say('--version')).stdout, /^\d+\.\d+\.\d+\n$/)
  })

  const wrong: Readonly<Record<string, string>> = {
    rnu: 'sluice: There is no command rnu: did you mean run? sluice --help lists all\n',
    deploy: 'sluice: There is no command deploy: sluice --help lists all\n',
    '--versoin': 'sluice: There is no option --versoin: did you mean --version? sluice --help lists all\n',
    '-x': 'sluice: There is no option -x: sluice --help lists all\n',
    'help grpah': 'sluice: There is no command grpah: did you mean graph? sluice --help lists all\n',
    toString: 'sluice: There is no command toString: sluice --help lists all\n',
    'jobs/a.ts --param x=1':
      'sluice: There is no command jobs/a.ts: did you mean sluice run jobs/a.ts? sluice --help lists all\n',
    'run x.ts --strct': 'sluice: sluice run has no option --strct: did you mean --strict?\n',
  }
  for (const [line, message] of Object.entries(wrong)) {
    it(`refuses ${JSON.stringify(line)} in one line`, async () => {
      const { code, stdout, stderr } = await say(...line.split(' '))
      equal(code, 64)
      equal(stdout, '')
      equal(stderr, message)
    })
  }

  it('refuses in JSON where JSON is wanted', async () => {
    const { code, stdout, stderr } = await say('run', 'x.ts', '--json', '--log=json', '--epoch-ms', 'soon')
    equal(code, 64)
    const message = '--epoch-ms must be a number from 1 to 2147483647: found soon'
    equal(
      stdout,
      `{"error":{"code":"COMMAND_INVALID","message":"${message}","details":{"argument":"soon"}},"exitCode":64}\n`,
    )
    match(
      stderr,
      /^\{"level":"error","time":\d+,"code":"COMMAND_INVALID","exitCode":64,"msg":"sluice: --epoch-ms [^\n]*\}\n$/,
    )
  })

  it('prints no control character of its arguments', async () => {
    const { code, stderr } = await say('run', '\x1b[2J\x07\u202e.ts')
    equal(code, 78)
    equal(stderr, 'sluice: Cannot run \\x1b[2J\\x07\\u202e.ts: there is no such file\n')
  })

  it('takes credentials out of what it says', async () => {
    match((await say('run', 'postgres://u:p%40ss@h/db')).stderr, /postgres:\/\/\*\*\*@h\/db/)
  })
})
