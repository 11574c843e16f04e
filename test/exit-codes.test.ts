// Exit codes of commands that are stopped, as the guide and the help say them.

import { equal, match } from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { sluice } from './support/cli.ts'
import { ROOT } from './support/project.ts'

const folder = tempFolder('sluice-exit-codes-')
const SOURCE = join(ROOT, 'src', 'index.ts')

function jobOf(name: string, from: string): string {
  const path = join(folder, `${name}.ts`)
  writeFileSync(
    path,
    `import { pipeline, sqliteSink, tailSource, textLines, valuesSource } from '${SOURCE}'
export default pipeline('${name}', {
  from: () => ${from},
  flow: (events) => events.map((event) => ({ text: String(event) })),
  into: () => sqliteSink('${join(folder, name)}.db', { table: 't', columns: { text: 'text' } }),
})`,
  )
  return path
}

writeFileSync(join(folder, 'in.log'), 'a\nb\n')
/** It would come to an end, in an hour. */
const finite = jobOf(
  'finite',
  'valuesSource(async function* () { yield 1; await new Promise((resolve) => setTimeout(resolve, 3_600_000)) })',
)
const endless = jobOf('endless', `tailSource('${join(folder, 'in.log')}', textLines(), { pollMs: 10 })`)

/** The code of a command that gets a signal once it has said something. */
async function stopped(argv: readonly string[], signal: NodeJS.Signals, said: RegExp): Promise<number | null> {
  const { code } = await sluice(argv, {
    onStart: (child) => {
      let text = ''
      child.stderr?.on('data', (more: string) => {
        const before = said.test(text)
        text += more
        if (!before && said.test(text)) child.kill(signal)
      })
    },
  })
  return code
}

describe('exit codes', () => {
  const guide = readFileSync(join(ROOT, 'docs/guide/08-deploying.md'), 'utf8')
  const row = guide.split('\n').find((line) => line.startsWith('| SIGTERM, Ctrl-C |')) ?? ''
  const [, SIGTERM, SIGINT, withoutEnd] =
    /\| (\d+), (\d+); SIGTERM of an unbounded source \(.*\) (\d+) \|$/.exec(row) ?? []

  it('F30: are those of the guide, where what is stopped would come to an end', async () => {
    equal(await stopped(['run', finite], 'SIGTERM', /loading values/), Number(SIGTERM))
    equal(await stopped(['run', finite], 'SIGINT', /loading values/), Number(SIGINT))
  })

  it('F30: are those of the guide, where what is stopped has no end', async () => {
    equal(await stopped(['run', endless], 'SIGTERM', /loading .*in\.log/), Number(withoutEnd))
    equal(await stopped(['run', endless], 'SIGINT', /loading .*in\.log/), Number(SIGINT))
    const serving = ['serve', folder, '--dashboard', '0']
    equal(await stopped(serving, 'SIGTERM', /on the dashboard/), Number(withoutEnd))
    equal(await stopped(serving, 'SIGINT', /on the dashboard/), Number(SIGINT))
  })

  it('F30: are told alike by the chapter on pipelines, the table of faults and the help', async () => {
    const pipelines = readFileSync(join(ROOT, 'docs/guide/02-pipelines.md'), 'utf8')
    match(pipelines, /ends with 130 or 143 \(SIGTERM of an unbounded source: 0\)/)
    match(readFileSync(join(ROOT, 'docs/specs/faults.md'), 'utf8'), /\*\*F30\*\* \| SIGTERM \|.*\| 143; tail 0 \|/)
    const { stdout } = await sluice(['help'])
    match(stdout, /^ {2}0 {3,}.*; SIGTERM of an unbounded source$/m)
    match(stdout, /^ {2}128\+n .*143: SIGTERM/m)
  })
})
