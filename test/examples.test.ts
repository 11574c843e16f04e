import { deepEqual, ok } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { said } from './support/examples.ts'
import { ROOT } from './support/project.ts'

const FOLDER = join(ROOT, 'examples')
const MOST_LINES = 40

const NAMES = [
  ...['counter', 'etl', 'one-line', 'rate-limited', 'fan-out'],
  ...['word-count', 'brc', 'access-report', 'sensor-windows', 'sessions', 'join'],
]

const programs = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }))
  .filter(({ text }) => text.includes('// Prints:')) // Pipelines have tests of their own.

describe('the examples', () => {
  it('are all here', () => {
    const names = programs.map(({ name }) => name)
    for (const name of NAMES) ok(names.includes(`${name}.ts`), name)
  })

  for (const { name, text } of programs) {
    it(`${name} prints what it says, in under ${MOST_LINES} lines`, () => {
      const args = ['--conditions=sluice-source', join(FOLDER, name)]
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000 })
      deepEqual({ status, stderr, lines: stdout.trimEnd().split('\n') }, { status: 0, stderr: '', lines: said(text) })
      ok(text.slice(0, text.indexOf('// Prints:')).split('\n').length < MOST_LINES)
    })
  }
})
