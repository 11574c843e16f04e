import { deepEqual, equal, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { circlesOf, readFolderTable, violationsOf } from './support/house.ts'
import { importsOf } from './support/imports.ts'
import { ROOT, readTree } from './support/project.ts'

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const packages = new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }))
/** What is compiled from other languages is not written here. */
const files = new Map(
  [...readTree('src', '.ts')].map(([path, text]) =>
    path.endsWith('.d.ts') ? [path.replace(/\.d\.ts$/, '.js'), ''] : [path, text],
  ),
)
/** With what the page is built out of, which lies beside `src`. */
const all = new Map([...files, ...inFolder('page', '.ts'), ...inFolder('page', '.tsx')])

/** Names of files at the top of a system's folder: if you know one system, you know them all. */
const SYSTEM_FILES = [
  ...['source', 'sink', 'reader', 'writer', 'open', 'dry-run', 'options', 'meta', 'index'],
  ...['client', 'connection', 'server', 'publisher', 'address', 'protocol', 'errors'],
]
/** What these have beside them: a source for each format, and what is in this process. */
const OWN_FILES: Readonly<Record<string, readonly string[]>> = {
  files: ['lines', 'csv', 'ndjson', 'json-array', 'parquet'],
  memory: ['values', 'ticks', 'stdout', 'callback'],
}

describe('the house', () => {
  it('imports only as the table in ARCHITECTURE.md allows', () => {
    const table = readFolderTable(readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8'))
    ok(table.size >= 7, 'the table was found')
    deepEqual(violationsOf(all, table, packages), [])
  })

  it('has no circle of files that import each other', () => {
    deepEqual(circlesOf(all), [])
  })

  it('has files of the same names in the folder of each system', () => {
    const systems = [...files.keys()].map((path) => /^connect\/(?!kits\/|formats\/)([\w-]+)\/([\w-]+)\.ts$/.exec(path))
    deepEqual(
      systems.filter((found) => found && ![...SYSTEM_FILES, ...(OWN_FILES[found[1]!] ?? [])].includes(found[2]!)),
      [],
    )
  })

  it('has no room in connect/ that holds more than 15 % of it', () => {
    const lines = new Map<string, number>()
    for (const [path, text] of files) {
      if (!path.startsWith('connect/') || path.endsWith('.test.ts')) continue
      const room = /^connect\/((?:kits|formats)\/)?[\w-]+\//.exec(path)?.[0] ?? 'connect/'
      lines.set(room, (lines.get(room) ?? 0) + text.split('\n').length)
    }
    const all = [...lines.values()].reduce((sum, some) => sum + some, 0)
    deepEqual(
      [...lines].filter(([, some]) => some > 0.15 * all),
      [],
    )
  })

  it('is of files that can be read in one go', () => {
    // A builder is one class: a list of methods that are short, each with its documentation.
    const mostOf = (path: string): number => (path === 'flow/flow.ts' ? 700 : 460)
    const long = [...files].filter(([path, text]) => text.split('\n').length > mostOf(path)).map(([path]) => path)
    deepEqual(
      long.filter((path) => !path.endsWith('.test.ts')),
      [],
    )
  })

  it('loads what only some users have installed when it is needed, never before', () => {
    const peers = Object.keys(manifest.peerDependencies).join('|')
    const early = new RegExp(`^(?:import(?! type)|export)\\s[^'\n]*'(?:${peers})['/]`, 'm')
    deepEqual(
      [...files].filter(([path, text]) => !path.endsWith('.test.ts') && early.test(text)).map(([path]) => path),
      [],
    )
  })

  it('names no dependency at run time but those it declares', () => {
    const used = new Set<string>()
    for (const [path, text] of files) {
      if (path.endsWith('.test.ts') || path.startsWith('testing/')) continue
      for (const { specifier } of importsOf(text)) if (!/^(\.|node:)/.test(specifier)) used.add(specifier)
    }
    const peers = new Set(Object.keys(manifest.peerDependencies))
    deepEqual(
      [...used].filter((name) => !peers.has(name)),
      Object.keys(manifest.dependencies),
    )
  })
})

describe('the doors', () => {
  for (const door of Object.keys(manifest.exports).filter((door) => !door.endsWith('.json'))) {
    it(`${door.replace('.', 'sluice')} loads no package before it is used`, () => {
      const code = `
        import { registerHooks } from 'node:module'
        registerHooks({ resolve(specifier, context, next) {
          if (!/^(\\.|node:|file:|sluice)/.test(specifier)) console.log(specifier)
          return next(specifier, context)
        } })
        await import('${door.replace('.', 'sluice')}')`
      const args = ['--conditions=sluice-source', '--input-type=module', '-e', code]
      equal(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }), '')
    })
  }
})

describe('the test of the house', () => {
  const table = readFolderTable('| folder | may import |\n|---|---|\n| `base/` | |\n| `flow/` | `base/` |\n')

  it('finds an import that goes up', () => {
    const bad = new Map([
      ['base/ring.ts', "import type { Flow } from '../flow/flow.ts'\n"],
      ['flow/flow.ts', ''],
    ])
    deepEqual(violationsOf(bad, table, new Set()), ['base/ring.ts:1 imports ../flow/flow.ts: base may not'])
  })

  it('finds what a folder beside src may not import from it', () => {
    const page = readFolderTable(
      '| folder | may import |\n|---|---|\n| `base/` | |\n| `flow/` | |\n| `page/` | `base/` |\n',
    )
    const bad = new Map([
      ['base/ring.ts', ''],
      ['flow/flow.ts', ''],
      ['page/app.tsx', "import '../src/base/ring.ts'\nimport type { Flow } from '../src/flow/flow.ts'\n"],
    ])
    deepEqual(violationsOf(bad, page, new Set()), ['page/app.tsx:2 imports ../src/flow/flow.ts: page may not'])
  })

  it('finds a room that imports another one without a row for it', () => {
    const rooms = readFolderTable(
      '| folder | may import |\n|---|---|\n| `connect/` | |\n| `connect/kits/` | |\n| `connect/*/` | `connect/kits/` |\n',
    )
    const bad = new Map([
      ['connect/sink.ts', "import '../connect/kits/row.ts'\n"],
      ['connect/kits/row.ts', "import '../sink.ts'\nimport '../kafka/sink.ts'\n"],
      ['connect/kafka/sink.ts', "import '../kits/row.ts'\nimport '../redis/sink.ts'\n"],
      ['connect/redis/sink.ts', ''],
    ])
    deepEqual(violationsOf(bad, rooms, new Set()), [
      'connect/sink.ts:1 imports ../connect/kits/row.ts: connect may not import connect/kits',
      'connect/kits/row.ts:2 imports ../kafka/sink.ts: connect/kits may not import connect/kafka',
      'connect/kafka/sink.ts:2 imports ../redis/sink.ts: connect/kafka may not import connect/redis',
    ])
  })

  it('finds dynamic imports, re-exports, strangers and folders without a row', () => {
    const bad = new Map([
      ['base/a.ts', "\nawait import('../flow/b.ts')\nexport { x } from '../flow/b.ts'\nimport 'left-pad'\n"],
      ['flow/b.ts', ''],
      ['attic/c.ts', ''],
    ])
    equal(violationsOf(bad, table, new Set()).length, 4)
  })

  it('does not take a comment for an import', () => {
    deepEqual(importsOf("// import { x } from './x.ts'\n/* import './y.ts' */\nconst a = 1\n"), [])
  })

  it('finds a circle, however long', () => {
    const round = new Map([
      ['base/a.ts', "import './b.ts'"],
      ['base/b.ts', "import './c.ts'"],
      ['base/c.ts', "import './a.ts'"],
    ])
    deepEqual(circlesOf(round), ['base/a.ts → base/b.ts → base/c.ts → base/a.ts'])
  })
})

function inFolder(folder: string, ending: string): [path: string, text: string][] {
  return [...readTree(folder, ending)].map(([path, text]) => [`${folder}/${path}`, text])
}
