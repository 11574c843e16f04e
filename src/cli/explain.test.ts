import { equal, match } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempFolder } from '../testing/temp-folder.ts'
import { main } from './main.ts'

const folder = tempFolder('sluice-graph-')
const job = join(folder, 'job.ts')
writeFileSync(
  job,
  `import { param, pipeline } from 'sluice'; const none = () => Promise.reject(new Error('opened'))
const list = (title) => ({ kind: 'list', title, guarantee: 'at-least-once', deadLetters: title, splits: none, open: none })
export default pipeline('job', {
  params: { name: param.string('a list'), fails: param.boolean(false), db: param.string('pg://u:p%40ss@h') },
  from: ({ name, fails }) => {
    if (fails) throw new Error('no such list')
    return list(name)
  },
  into: () => list('a file'),
})
`,
)

async function graph(...params: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return await say('graph', job, ...params.flatMap((one) => ['--param', one]))
}

async function say(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' }
  const out = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (said[name] += text) })
  return { code: await main(argv, { stdout: out('stdout'), stderr: out('stderr'), env: {} }), ...said }
}

describe('sluice graph', () => {
  it('draws the pipeline for the parameters that are given, and opens nothing', async () => {
    const { code, stdout, stderr } = await graph('name=another list')
    equal(code, 0)
    equal(stderr, '')
    match(stdout, /^flowchart LR\n {2}layer1\[\("another list"\)\]\n {2}sink\[\("a file<br>at-least-once"\)\]\n/)
  })

  it('refuses parameters that do not fit, and what cannot be built, as a run does', async () => {
    const wrong = await graph('fails=perhaps')
    equal(wrong.code, 78)
    equal(wrong.stderr, 'sluice: Parameter fails of job must be true or false: found "perhaps"\n')
    const broken = await graph('fails=true')
    equal(broken.code, 78)
    equal(broken.stderr, 'sluice: Cannot build pipeline job: no such list\n')
  })
})

describe('sluice run FILE --help', () => {
  it('shows no password that a parameter has by default', async () => {
    match((await say('run', job, '--help')).stdout, /db='pg:\/\/\*\*\*@h'/)
  })
})
