import { deepEqual, equal, match } from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { RunSnapshot } from 'sluice'
import { type Outcome, sluice } from './support/cli.ts'
import { ROOT } from './support/project.ts'
import { until } from './support/until.ts'
import { answerOf } from './support/watched.ts'

const SOURCE = join(ROOT, 'src', 'index.ts')

describe('sluice serve', () => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-serve-'))
  after(() => rmSync(root, { recursive: true, force: true }))
  let folders = 0

  /** A folder of modules: name → what each says, with what a pipeline needs imported. */
  function folderOf(modules: Readonly<Record<string, string>>): string {
    folders += 1
    const folder = mkdtempSync(join(root, `${folders}-`))
    writeFileSync(join(folder, 'lines.txt'), 'a\nb\nc\n')
    for (const [name, text] of Object.entries(modules)) {
      const names = 'fileSource, flow, param, pipeline, sqliteSink, tailSource, textLines'
      writeFileSync(
        join(folder, name),
        `import { ${names} } from '${SOURCE}'\nconst here = import.meta.dirname\n${text}`,
      )
    }
    return folder
  }

  const pipelineOf = (name: string, from = 'fileSource(here + "/lines.txt", textLines())'): string => `
export default pipeline('${name}', {
  params: { out: param.string(\`\${here}/${name}.db\`) },
  from: () => ${from},
  flow: (lines) => lines.map((text) => ({ text })),
  into: ({ out }) => sqliteSink(out, { table: 'lines', columns: { text: 'text' } }),
})
`

  /** Serves until `look` has seen enough, then stops it. */
  async function serving(
    argv: readonly string[],
    look: (url: string, child: ChildProcess) => Promise<void>,
  ): Promise<Outcome> {
    let seen: Promise<void> | undefined
    const outcome = await sluice(['serve', ...argv, '--dashboard=0'], {
      onStart: (child) => {
        let said = ''
        child.stderr?.on('data', (text: string) => {
          said += text
          const [, url] = /dashboard: (http:\S+)\n/.exec(said) ?? []
          if (url === undefined || seen !== undefined) return
          seen = look(url, child).finally(() => child.kill('SIGTERM'))
        })
      },
    })
    await seen
    return outcome
  }

  /** The runs, once they are as a test waits for. */
  async function runsOf(url: string, isSo: (runs: readonly RunSnapshot[]) => boolean): Promise<readonly RunSnapshot[]> {
    let runs: readonly RunSnapshot[] = []
    const areSo = async () => {
      runs = JSON.parse((await answerOf(`${url}/api/snapshot`)).body).runs
      return isSo(runs)
    }
    const found = () => JSON.stringify(runs.map(({ pipeline, state, overall }) => [pipeline, state, overall.loaded]))
    await until(areSo, () => `what is waited for, instead of ${found()},`)
    return runs
  }

  it('runs all pipelines of a folder and shows them, until it is told to stop', async () => {
    const endless = 'tailSource(here + "/lines.txt", textLines(), { pollMs: 10 })'
    const folder = folderOf({
      'a.ts': pipelineOf('once'),
      'b.ts': pipelineOf('endless', endless),
      'part.ts': 'export const shared = 1',
      'counts.ts': 'export default flow([1, 2])',
      'a.test.ts': 'throw new Error("not for here")',
    })
    const { code, stderr } = await serving([folder], async (url) => {
      const runs = await runsOf(url, (runs) => runs.every(({ overall }) => overall.loaded === 3))
      deepEqual(
        runs.map(({ pipeline, state }) => [pipeline, state]),
        [
          ['once', 'finished'],
          ['endless', 'running'],
        ],
      )
      equal((await answerOf(`${url}/readyz`)).status, 200)
    })
    equal(code, 0)
    match(stderr, /counts\.ts exports a flow, which is ignored/)
    match(stderr, /^endless drained: 3 read = 3 loaded \+ 0 dead \+ 0 filtered \+ 0 blank$/m)
  })

  it('runs pipelines on worker threads', async () => {
    const folder = folderOf({ 'a.ts': pipelineOf('first'), 'b.ts': pipelineOf('second') })
    const { code, stderr } = await serving([folder, '--threads', '2'], async (url) => {
      const runs = await runsOf(url, (runs) => runs.every(({ state }) => state === 'finished'))
      deepEqual(
        runs.map(({ pipeline, overall, layers }) => [pipeline, overall.loaded, layers[0]?.stages.length]),
        [
          ['first', 3, 2],
          ['second', 3, 2],
        ],
      )
    })
    equal(code, 0, stderr)
  })

  it('C127: runs each pipeline as one of several copies, and shows those that cannot be', async () => {
    const one = 'fileSource(here + "/lines.txt", textLines())'
    const folder = folderOf({
      'a.ts': pipelineOf('shared', one),
      'b.ts': pipelineOf('whole', 'tailSource(here + "/lines.txt", textLines(), { pollMs: 10 })'),
    })
    const loaded: number[] = []
    for (const index of [0, 1]) {
      await serving([folder, '--shard', `${index}/2`], async (url) => {
        const runs = await runsOf(url, ([first, second]) => first?.state === 'finished' && second?.state === 'failed')
        match(runs[1]?.error ?? '', /^Cannot run whole as shard .* run it in one process without --shard$/)
        equal(runs[0]?.shard, `${index}/2`)
        loaded.push(runs[0]?.overall.loaded ?? 0)
      })
    }
    deepEqual(loaded.sort(), [0, 3])
  })

  it('starts a pipeline again whose source comes later', async () => {
    const folder = folderOf({ 'a.ts': pipelineOf('late', 'fileSource(here + "/late.txt", textLines())') })
    const { code, stderr } = await serving([folder], async (url) => {
      const [run] = await runsOf(url, ([run]) => run?.error !== undefined)
      equal(run?.state, 'waiting')
      equal((await answerOf(`${url}/readyz`)).status, 503)
      writeFileSync(join(folder, 'late.txt'), 'a\n')
      await runsOf(url, ([run]) => run?.state === 'finished')
    })
    match(stderr, /late failed; it is restarted in .*late\.txt/)
    equal(code, 0)
  })

  it('shows one that would fail again as failed, and runs the others', async () => {
    const bad = pipelineOf('bad').replace(/flow: .*/, 'flow: () => 5,')
    const folder = folderOf({ 'a.ts': bad, 'b.ts': pipelineOf('good') })
    await serving([folder], async (url) => {
      const runs = await runsOf(url, (runs) => runs.every(({ state }) => state === 'finished' || state === 'failed'))
      deepEqual(
        runs.map(({ pipeline, state }) => [pipeline, state]),
        [
          ['bad', 'failed'],
          ['good', 'finished'],
        ],
      )
      match(runs[0]?.error ?? '', /flow/)
    })
  })

  it('shows a module that cannot be loaded as failed, and runs the others', async () => {
    const folder = folderOf({
      'a.ts': 'throw new Error("not today")',
      'b.ts': pipelineOf('good'),
      'c.ts': pipelineOf('good'),
      'd.ts': 'export default 5',
    })
    const { code, stderr } = await serving([folder, '-p', 'bad.out=x'], async (url) => {
      const runs = await runsOf(url, (runs) => runs.every(({ state }) => state === 'finished' || state === 'failed'))
      deepEqual(
        runs.map(({ pipeline, state, error = '' }) => [pipeline.replace(`${folder}/`, ''), state, error]),
        [
          ['good', 'finished', ''],
          ['a.ts', 'failed', `Cannot run ${folder}/a.ts: not today (line 3)`],
          ['c.ts', 'failed', `${folder}/b.ts exports a pipeline good, too`],
          ['d.ts', 'failed', `Cannot run ${folder}/d.ts: its default export must be a pipeline or a flow: found 5`],
        ],
      )
      equal((await answerOf(`${url}/readyz`)).status, 503)
    })
    equal(code, 0, stderr)
    match(stderr, /a\.ts is left out: Cannot run .*a\.ts: not today/)
    match(stderr, /--param must name a pipeline, as in PIPELINE\.bad\.out=…/)
  })

  it('gives each pipeline its own parameters', async () => {
    const folder = folderOf({ 'a.ts': pipelineOf('one'), 'b.ts': pipelineOf('two') })
    const out = join(folder, 'elsewhere.db')
    await serving([folder, '-p', `two.out=${out}`], async (url) => {
      const runs = await runsOf(url, (runs) => runs.every(({ state }) => state === 'finished'))
      equal(runs[0]?.sink, `table lines in ${join(folder, 'one.db')}`)
      equal(runs[1]?.sink, `table lines in ${out}`)
    })
  })

  const refused = {
    'a folder without pipelines': [{ 'part.ts': 'export const a = 1' }, [], 78, /no module in it exports a pipeline/],
    'a folder of modules that cannot be loaded': [
      { 'a.ts': 'throw new Error("broken")' },
      [],
      78,
      /Cannot run .*a\.ts: broken/,
    ],
    'a parameter of no pipeline': [
      { 'a.ts': pipelineOf('one') },
      ['-p', 'out=x'],
      64,
      /--param must name a pipeline, as in PIPELINE\.out=…: found out, and there is one/,
    ],
    'an address that others reach, without a token': [
      { 'a.ts': pipelineOf('one') },
      ['--dashboard=0.0.0.0:0'],
      78,
      /others can reach it there, and it has no token/,
    ],
    'an invalid port': [{ 'a.ts': pipelineOf('one') }, ['--dashboard=web'], 64, /--dashboard must be a port/],
  } as const
  for (const [what, [modules, argv, code, message]] of Object.entries(refused)) {
    it(`refuses ${what}`, async () => {
      const outcome = await sluice(['serve', folderOf(modules as Record<string, string>), ...argv])
      equal(outcome.code, code, outcome.stderr)
      match(outcome.stderr, message)
    })
  }

  it('refuses a folder that is not there', async () => {
    const { code, stderr } = await sluice(['serve', join(root, 'nowhere')])
    deepEqual([code, /there is no such folder/.test(stderr)], [78, true])
  })
})

describe('sluice run --dashboard', () => {
  it('takes no word from behind it', async () => {
    const { code, stderr } = await sluice(['run', '--dashboard', 'nowhere.ts'])
    equal(code, 78)
    match(stderr, /Cannot run nowhere\.ts: there is no such file/)
  })

  it('is refused for a flow', async () => {
    const { code, stderr } = await sluice(['run', 'examples/word-count.ts', '--dashboard'])
    equal(code, 64)
    match(stderr, /exports a flow, and --dashboard shows runs of pipelines/)
  })

  it('shows the run as long as it goes on, and keeps it no longer', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-shown-'))
    writeFileSync(join(folder, 'in.log'), 'good\n')
    const params = ['-p', `input=${join(folder, 'in.log')}`, '-p', `out=${join(folder, 'out.db')}`]
    const { code, stderr } = await sluice(['run', 'test/jobs/load.ts', ...params, '--dashboard=0'])
    equal(code, 0, stderr)
    match(stderr, /^dashboard: http:\/\/127\.0\.0\.1:\d+$/m)
    rmSync(folder, { recursive: true })
  })
})
