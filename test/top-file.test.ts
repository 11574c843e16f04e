import { deepEqual, equal, match } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { sluice } from './support/cli.ts'
import { LOAD } from './support/fault-load.ts'

const folder = tempFolder('sluice-top-')

describe('sluice top FILE', () => {
  const load = (name: string, ...more: readonly string[]) => {
    const input = join(folder, 'in.log')
    writeFileSync(input, 'a\nb\nc\n')
    const given = ['--param', `input=${input}`, '--param', `out=${join(folder, name)}`]
    return sluice(['top', LOAD, ...given, ...more])
  }

  it('runs the pipeline, shows how it was left, and tells what it did', async () => {
    const { code, stdout, stderr } = await load('once.db')
    deepEqual([code, stderr], [0, ''])
    match(stdout, /^load: finished/)
    match(stdout, /\n.*3 .*records|3 loaded|loaded *3|3 rows/)
  })

  it('shows it again and again where somebody says how often, and takes the options of a run', async () => {
    const { code, stdout } = await load('often.db', '--every=0.1', '--threads', '1')
    equal(code, 0)
    match(stdout, /^load: (starting|running)/)
    match(stdout, /\nload: finished/)
  })

  it('fails as a run does', async () => {
    const { code, stderr } = await sluice(['top', join(folder, 'none.ts')])
    equal(code, 78)
    match(stderr, /none\.ts/)
  })
})
