import { ok } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import {
  countChecks,
  type Example,
  examplesInComments,
  examplesInPage,
  exportsOf,
  importsFor,
  placeOf,
  programOf,
} from './support/examples.ts'
import { ROOT, readTree } from './support/project.ts'

const FOLDER = join(ROOT, '.doc-examples')

const sources = [...readTree('src', '.ts')].filter(([path]) => !path.endsWith('.test.ts'))
const pages: [string, string][] = [
  ['README.md', readFileSync(join(ROOT, 'README.md'), 'utf8')],
  ...[...readTree('docs', '.md')].map(([path, text]): [string, string] => [`docs/${path}`, text]),
]
const exports = new Map(sources.flatMap(([path, text]) => exportsOf(`src/${path}`, text)))
const commented = sources.flatMap(([path, text]) => {
  const own = new Set(exportsOf(path, text).map(([name]) => name))
  return examplesInComments(`src/${path}`, text).map((example) => ({ example, own }))
})
const written = pages
  .flatMap(([path, text]) => examplesInPage(path, text))
  .map((example) => ({ example, own: new Set<string>() }))

describe('examples in the documents', () => {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER)
  const programs = [...commented, ...written].map(({ example, own }) => {
    const path = join(FOLDER, placeOf(example))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, programOf(example, importsFor(example, exports, own, '../..')))
    return { example, path }
  })
  after(() => rmSync(FOLDER, { recursive: true, force: true }))

  it('compile', () => {
    const config = {
      extends: '../tsconfig.loose.json',
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      include: ['**/*.ts'],
    }
    writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config))
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', FOLDER], { encoding: 'utf8' })
    ok(status === 0, stdout)
  })

  const running = programs.filter(({ example }) => example.runs)
  it(`there are some: ${running.length} run, ${countAll(running)} values are compared`, () => {
    ok(countAll(running) >= 40)
  })

  for (const { example, path } of running) {
    it(`${example.file}:${example.line} gives what it says`, async () => {
      await import(pathToFileURL(path).href)
    })
  }
})

function countAll(programs: readonly { readonly example: Example }[]): number {
  return programs.reduce((sum, { example }) => sum + countChecks(example.code), 0)
}
