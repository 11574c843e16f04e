import { equal, match, rejects } from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isSluiceError } from '../base/errors.ts'
import { tempFolder } from '../testing/temp-folder.ts'
import { load } from './load.ts'

const folder = tempFolder('sluice-load-')

function moduleOf(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('load', () => {
  moduleOf('other-rows.ts', 'export {}\n')
  mkdirSync(join(folder, 'folder-of-rows'))
  moduleOf(join('folder-of-rows', 'index.ts'), 'export {}\n')

  it('gives the default export of a module that lies outside of any project', async () => {
    const pipeline = "{ kind: 'pipeline', name: 'job', about: '', params: {}, build: () => producer }"
    const path = moduleOf('job.ts', `import { producer } from 'sluice/stage'\nexport default ${pipeline}\n`)
    const loaded = await load(path)
    equal(loaded.kind === 'pipeline' && loaded.pipeline.name, 'job')
  })

  it('says which file may have been meant', async () => {
    moduleOf('orders.ts', 'export default 1\n')
    for (const name of ['orders', 'oders.ts']) {
      await rejects(load(join(folder, name)), /: there is no such file; did you mean orders\.ts\?$/)
    }
    await rejects(load(join(folder, 'nothing-like-it.ts')), /: there is no such file$/)
    await rejects(load(folder), /: it is a directory; sluice serve runs all pipelines of one$/)
  })

  const unusable: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
    'no default export': [
      'export const job = 1\n',
      /: its default export must be a pipeline or a flow: found no default export$/,
    ],
    'another default export': [
      'export default [1]\n',
      /: its default export must be a pipeline or a flow: found Array$/,
    ],
    'half a pipeline': [
      "export default { kind: 'pipeline' }\n",
      /: its default export must be a pipeline or a flow: found Object$/,
    ],
    'an error of its own': ["\n\nthrow new Error('no such day')\n", /: no such day \(line 3\)$/],
    'a syntax error': ['const a = 1\nconst b = = 2\n', /: Expression expected \(line 2\)$/],
    'an enum, which Node does not strip': [
      '\nenum A { B }\n',
      /: TypeScript enum is not supported .*\(line 2\)\. Node strips types and compiles nothing, see https:.*$/,
    ],
    'a namespace': ['namespace A { export const b = 1 }\n', /Node strips types and compiles nothing, see https:.*$/],
    'a parameter property': [
      'class A { constructor(readonly b: number) {} }\nnew A(1)\n',
      /Node strips types and compiles nothing, see https:.*$/,
    ],
    'an import of a stranger': [
      "import '@no-such/thing/part'\n",
      /: Cannot find package '@no-such\/thing' imported from .*\. Run npm install @no-such\/thing$/,
    ],
    'a name that Sluice does not export': [
      "import { nope } from 'sluice/stage'\nnope()\n",
      /'nope' \(line 1\)\. Check the spelling; if it is a type, write import type \{ nope \}$/,
    ],
    'an import without its extension': ["import './other-rows'\n", /\. Write the whole name: other-rows\.ts$/],
    'an import by the name that a compiler would give': ["import './other-rows.js'\n", /name: other-rows\.ts$/],
    'an import of a folder': ["import './folder-of-rows'\n", /\. Write the whole name: folder-of-rows\/index\.ts$/],
    'a require': ["export default require('fs')\n", /\. A job is an ES module: use import and export$/],
  }
  for (const [name, [text, message]] of Object.entries(unusable)) {
    it(`refuses a module with ${name}, and says where`, async () => {
      const path = moduleOf(`${name.replaceAll(/\W/g, '-')}.ts`, text)
      await rejects(load(path), (error) => {
        equal(isSluiceError(error, 'CONFIG_INVALID'), true)
        match((error as Error).message, message)
        match((error as Error).message, new RegExp(`^Cannot run ${path}: `))
        return true
      })
    })
  }

  it('refuses a file that is not there', async () => {
    await rejects(load(join(folder, 'gone.ts')), { message: /: there is no such file$/ })
    await rejects(load(folder), {
      message: `Cannot run ${folder}: it is a directory; sluice serve runs all pipelines of one`,
    })
  })
})
