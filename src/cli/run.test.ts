import { deepEqual, equal, match } from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '../testing/temp-folder.ts'

const BIN = fileURLToPath(import.meta.resolve('./bin.ts'))
const CORE = ['--conditions=sluice-source', BIN]

/** Ten bytes a record from memory, into a checkpoint file; every part can be told to misbehave. */
const JOB = `import { param, pipeline, readOf, SluiceError } from 'sluice'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

function records({ count, rejectEvery, paceMs }) {
  const size = Number(count)
  const open = (split, from) => {
    let next = from ?? 0
    const counts = { read: 0, blank: 0, invalidUtf8: 0 }
    const origin = (n) => ({ source: 'list', line: n + 1, offset: n * 10, raw: 'record ' + n })
    const entry = (n) => rejectEvery > 0 && (n + 1) % rejectEvery === 0
      ? { kind: 'dead', origin: origin(n), step: 'list', reason: 'not \\u001b[2J wanted' }
      : { kind: 'event', value: { n }, origin: origin(n) }
    const take = (max) => {
      const to = Math.min(size, next + Math.min(max, 100))
      const entries = Array.from({ length: to - next }, (_, at) => entry(next + at))
      counts.read += entries.length
      next = to
      return readOf(entries)
    }
    const read = (max) => next >= size ? undefined : paceMs > 0 ? pause(paceMs).then(() => take(max)) : take(max)
    const done = next >= size ? { note: 'nothing new since record ' + size } : {}
    return { ...done, counts, read, position: () => next, get doneBytes() { return next * 10 }, close: async () => {} }
  }
  return {
    kind: 'list',
    title: 'a list of ' + count,
    splits: async () => [{ id: 'list', sizeBytes: size * 10 }],
    open: async (split, from) => open(split, from),
  }
}

function checkpointFile({ state, sink }) {
  const restored = () => {
    try {
      const { positions, ...rest } = JSON.parse(readFileSync(state, 'utf8'))
      return { ...rest, positions: new Map(positions) }
    } catch {
      return undefined
    }
  }
  const hang = () => { setInterval(() => {}, 1000); return new Promise(() => {}) }
  const write = () => {
    if (sink === 'throws') throw new TypeError('no property of undefined')
    if (sink === 'full') throw new SluiceError('STORAGE_FAILED', 'Cannot write: the disk is full', {})
    if (sink === 'exits') process.exit(0)
    if (sink === 'slow') return pause(50, [])
    return sink === 'hangs' ? hang() : sink === 'lost' ? new Promise(() => {}) : []
  }
  const commit = ({ epoch, positions, totals }) => {
    writeFileSync(state + '.new', JSON.stringify({ epoch, positions: [...positions], totals }))
    renameSync(state + '.new', state)
  }
  const close = () => sink === 'hangs' ? hang() : Promise.resolve()
  return {
    kind: 'state',
    title: 'a file',
    deadLetters: 'a file of letters',
    guarantee: 'exactly-once',
    open: async () => ({ checkpoint: restored(), write, writeDeadLetters: () => {}, commit, close }),
  }
}

export default pipeline('job', {
  about: 'Counts records',
  params: {
    count: param.number(1000, 'how many'),
    rejectEvery: param.number(0),
    paceMs: param.number(0),
    state: param.string('it is "here"', 'where it stands'),
    sink: param.choice(['works', 'slow', 'full', 'exits', 'throws', 'hangs', 'lost'], 'works'),
  },
  from: records,
  into: checkpointFile,
  top: { parity: (row) => (row.n % 2 === 0 ? 'even' : 'odd') },
})
`

const folder = tempFolder('sluice-run-')
const job = join(folder, 'a job.ts')
writeFileSync(job, JOB)
let states = 0

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Setup {
  /** Options and parameters behind the file. */
  readonly args: readonly string[]
  /** A state of another run to go on from. */
  readonly state?: string
  /** What standard error must show, and what is done then: one after the other. */
  readonly acts?: readonly (readonly [shown: RegExp, act: (child: ChildProcess) => void])[]
  readonly stdout?: number | 'pipe'
  readonly env?: Readonly<Record<string, string>>
}

function newState(): string {
  states += 1
  return join(folder, `state ${states}.json`)
}

/** Runs the job in a process of its own. */
function run({ args, state = newState(), acts = [], stdout = 'pipe', env = {} }: Setup): Promise<Outcome> {
  const argv = [...CORE, 'run', job, '--param', `state=${state}`, ...args]
  const child = spawn(process.execPath, argv, {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1', NODE_V8_COVERAGE: '', npm_lifecycle_event: '', ...env },
    stdio: ['ignore', stdout, 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  const waiting = [...acts]
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text
    const [shown, act] = waiting[0] ?? []
    if (shown === undefined || act === undefined || !shown.test(said.stderr)) return
    waiting.shift()
    act(child)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...said }))
  })
}

function params(values: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['--param', `${name}=${value}`])
}

/** Slow enough to be stopped: half a minute if nobody does. */
const SLOW = params({ count: 30_000, paceMs: 100 })
const LOADING = /loading a list/
/** What hangs fails: nothing else takes as long, on a busy machine either. */
const LIMIT = { timeout: 60_000 }
const send = (signal: NodeJS.Signals) => (child: ChildProcess) => void child.kill(signal)

describe('sluice run', { concurrency: 2 }, () => {
  it('loads, and says on standard output what became of every record', async () => {
    const { code, stdout, stderr } = await run({ args: params({ rejectEvery: 100 }) })
    equal(code, 0)
    equal(
      stdout.replace(/in [\d.]+ s/, 'in 0 s').replace(/ {2}[\d,]+ a second.*/, ''),
      `job: finished in 0 s, committed to a file

  read      1,000
  loaded      990
  dead         10  rejected, with their reasons: a file of letters
  filtered      0
  blank         0

  rejected because
        10  list: not \\x1b[2J wanted

  parity (2 different)
    500  even
    490  odd
`,
    )
    equal(
      stderr,
      `loading a list of 1000 into a file
list:100: rejected by list: not \\x1b[2J wanted
list:200: rejected by list: not \\x1b[2J wanted
list:300: rejected by list: not \\x1b[2J wanted
further rejected records are only counted
`,
    )
  })

  it('has nothing to do a second time, and says up to where that was done', async () => {
    const state = newState()
    equal((await run({ args: [], state })).code, 0)
    const { code, stdout, stderr } = await run({ args: ['--quiet'], state })
    equal(code, 0)
    equal(stderr, '')
    match(stdout, /nothing new: 1 of 1 already loaded up to the end\n {4}list: nothing new since record 1000\n/)
    match(stdout, /in all runs: 1,000 read = 1,000 loaded/)
  })

  it('prints exactly one JSON object with --json', async () => {
    const { code, stdout } = await run({ args: ['--json', ...params({ rejectEvery: 400 })] })
    equal(code, 0)
    equal(stdout.indexOf('\n'), stdout.length - 1)
    const { outcome, exitCode, run: totals, firstDeadLetters } = JSON.parse(stdout)
    deepEqual([outcome, exitCode, totals.read, totals.loaded, totals.dead], ['finished', 0, 1000, 998, 2])
    equal(firstDeadLetters[0].reason, 'not \x1b[2J wanted')
  })

  it('shows the parameters of a pipeline', async () => {
    const { code, stdout } = await run({ args: ['--help'] })
    equal(code, 0)
    match(stdout, /^job: sluice run '.*a job\.ts' \[--param name=value …\]\n\nCounts records\n/)
    match(stdout, /\n {2}count=1000 {8,}how many\n {2}rejectEvery=0 {4,}a number\n/)
    match(
      stdout,
      /\n {2}state='it is "here"' {3}where it stands\n {2}sink=works {4,}one of works, slow, full, exits, throws, hangs, lost\n/,
    )
  })
})

describe('a run that fails', { concurrency: 2 }, () => {
  it('says so in one line, with the first rejected records', async () => {
    const { code, stdout, stderr } = await run({ args: ['--strict', '--quiet', ...params({ rejectEvery: 500 })] })
    equal(code, 65)
    equal(stdout, '')
    match(
      stderr,
      /^stopping: .*\nsluice: Too many rejected records: .*list:500: not \\x1b\[2J wanted;.* a file of letters \(committed in all runs: 1,000 records\)\n$/,
    )
  })

  it('says so in JSON, on both ends', async () => {
    const args = ['--strict', '--quiet', '--json', '--log', 'json', ...params({ rejectEvery: 500 })]
    const { code, stdout, stderr } = await run({ args })
    equal(code, 65)
    const { error, exitCode, overall } = JSON.parse(stdout)
    deepEqual([error.code, error.details.limit, exitCode, overall.read], ['TOO_MANY_DEAD_LETTERS', '0', 65, 1000])
    const records = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    deepEqual(
      records.map(({ level, code: name }) => [level, name]),
      [
        ['info', undefined],
        ['error', 'TOO_MANY_DEAD_LETTERS'],
      ],
    )
  })

  it('refuses a parameter that the pipeline does not have, before anything is read', async () => {
    const { code, stderr } = await run({ args: params({ colour: 'red' }) })
    equal(code, 78)
    match(stderr, /^sluice: Pipeline job has no parameter colour: it has count, rejectEvery, .*\n$/)
  })

  it('shows where a bug is, and what to do', async () => {
    const { code, stderr } = await run({ args: ['--quiet', ...params({ sink: 'throws' })] })
    equal(code, 70)
    match(stderr, /^sluice: no property of undefined\n {4}at .*a%20job\.ts:\d+:\d+\)?\n/)
    match(
      stderr,
      /please report it .*; what was committed stands, 0 records in all runs: run the same command to continue\n$/,
    )
  })

  it('says what stands committed', async () => {
    const state = newState()
    await run({ args: params({ count: 1000 }), state })
    const { code, stderr } = await run({ args: ['--quiet', ...params({ count: 2000, sink: 'full' })], state })
    equal(code, 74)
    equal(stderr, 'sluice: Cannot write: the disk is full (committed in all runs: 1,000 records)\n')
  })

  it('does not end as if all were done when its own code ends the process', async () => {
    const { code, stdout, stderr } = await run({ args: ['--quiet', ...params({ sink: 'exits' })] })
    equal(code, 70)
    equal(stdout, '')
    match(stderr, /^sluice: the process ended before its command was done: .* has called process\.exit\(\); .*\n$/)
  })

  it('C90: does not end as if all were done when its sink never answers: it waits until it is stopped', async () => {
    const args = ['--drain-timeout', '0.2', ...params({ sink: 'lost' })]
    const { code, stderr } = await run({ args, acts: [[LOADING, send('SIGTERM')]] })
    equal(code, 143)
    match(stderr, /\ndeadline of 0\.2 s over: stopping now, [\d,]+ events not committed\n/)
  })
})

describe('a run that is stopped', { concurrency: 2 }, () => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`commits what was read on ${signal}, says how to go on, and goes on`, async () => {
      const state = newState()
      const { code, stderr, stdout } = await run({ args: SLOW, state, acts: [[LOADING, send(signal)]] })
      equal(code, exitCode)
      match(stderr, new RegExp(`\\nstopping: received ${signal}; finishing what was read\\n`))
      const told =
        /\nstopped after ([\d,]+) records? \(.* of 300\.0 kB\), the last in list, all committed; continue with: (.*)\n$/.exec(
          stderr,
        )
      equal(told?.[2], `sluice run '${job}' --param 'state=${state}' ${SLOW.join(' ')}`)
      match(stdout, /^job: drained in /)
      const { totals } = JSON.parse(readFileSync(state, 'utf8'))
      equal(totals.read.toLocaleString('en-US'), told?.[1])
      const rest = await run({ args: ['--json', ...params({ count: 30_000 })], state })
      deepEqual([rest.code, JSON.parse(rest.stdout).overall.read], [0, 30_000])
      match(rest.stderr, /, continuing after epoch \d+\ncontinuing in list after [\d,]+ of 300,000 bytes\n/)
    })
  }

  it('says how to go on in a checkout, where npm runs the command', async () => {
    const env = { npm_lifecycle_event: 'sluice' }
    const { stderr } = await run({ args: SLOW, env, acts: [[LOADING, send('SIGTERM')]] })
    match(stderr, / continue with: npm run -s sluice -- run '/)
  })

  it('ends at a second interrupt, even if its sink hangs', LIMIT, async () => {
    const args = ['--drain-timeout', '600', ...params({ sink: 'hangs' })]
    const acts = [
      [LOADING, send('SIGINT')],
      [/stopping: /, send('SIGINT')],
    ] as const
    const { code, stderr, stdout } = await run({ args, acts })
    equal(code, 130)
    match(
      stderr,
      /\nsecond interrupt: stopping now\nstopped, 0 records committed in all runs; continue with: sluice run .*\n$/,
    )
    equal(stdout, '')
  })

  it('ends at the deadline when its sink hangs, and says what is not committed', LIMIT, async () => {
    const args = ['--drain-timeout', '0.2', '--json', ...params({ sink: 'hangs', count: 50 })]
    const { code, stderr, stdout } = await run({ args, acts: [[LOADING, send('SIGTERM')]] })
    equal(code, 143)
    match(stderr, /\ndeadline of 0\.2 s over: stopping now, \d+ events not committed\n/)
    const { error, exitCode } = JSON.parse(stdout)
    deepEqual([error.code, exitCode], ['STOPPED', 143])
  })

  it('ends with 0 when all had been read and could be committed', async () => {
    const args = params({ count: 1000, sink: 'slow' })
    const { code, stdout, stderr } = await run({ args, acts: [[LOADING, send('SIGTERM')]] })
    equal(code, 0)
    match(stderr, /\nstopping: received SIGTERM; finishing what was read\n$/)
    match(stdout, /^job: finished in /)
  })

  it('can be stopped before it has begun', async () => {
    const path = join(folder, 'slow.ts')
    writeFileSync(
      path,
      "process.stderr.write('loading a list\\n')\nawait new Promise((done) => setTimeout(done, 20_000))\n",
    )
    const child = spawn(process.execPath, [...CORE, 'run', path], { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
      if (text.startsWith('loading')) child.kill('SIGTERM')
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    equal(code, 143)
    equal(stderr, 'loading a list\nstopping: received SIGTERM before anything was read\n')
  })
})

describe('a module that is no pipeline', () => {
  it('is refused when it is never loaded to its end', async () => {
    const path = join(folder, 'stuck.ts')
    writeFileSync(path, 'await new Promise(() => {})\n')
    for (const command of ['run', 'graph']) {
      const child = spawn(process.execPath, [...CORE, command, path], { stdio: ['ignore', 'ignore', 'pipe'] })
      const stderr = Array.fromAsync(child.stderr)
      equal(await new Promise((resolve) => child.once('close', resolve)), 78)
      equal(
        Buffer.concat(await stderr).toString(),
        `sluice: Cannot run ${path}: an await at its top level never ends\n`,
      )
    }
  })
})

describe('output that nobody reads', { concurrency: 2 }, () => {
  it('stops no load: it is finished, and ends with 74 without a stack', async () => {
    const state = newState()
    const acts = [[LOADING, (child: ChildProcess) => child.stdout?.destroy()]] as const
    const { code, stderr } = await run({ args: params({ count: 3000, paceMs: 20 }), state, acts })
    equal(code, 74)
    equal(stderr, 'loading a list of 3000 into a file\n')
    equal(JSON.parse(readFileSync(state, 'utf8')).totals.read, 3000)
  })

  it('is not missed on standard error', async () => {
    const acts = [[LOADING, (child: ChildProcess) => child.stderr?.destroy()]] as const
    const { code, stdout } = await run({ args: params({ count: 3000, paceMs: 20, rejectEvery: 1500 }), acts })
    equal(code, 0)
    match(stdout, /dead {10}2 /)
  })

  it('ends with 74 on a full disk', async (t) => {
    if (process.platform !== 'linux') return t.skip('there is no /dev/full here')
    const { code, stderr } = await run({ args: ['--quiet'], stdout: openSync('/dev/full', 'w') })
    equal(stderr, '')
    equal(code, 74)
  })
})
