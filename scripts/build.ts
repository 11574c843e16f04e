// node scripts/build.ts [FOLDER]: builds the package, here or in a copy of it, into its dist/.
//
// All doors are built at once, into chunks that they share: what is loaded by one is the same for each, a worker's, too,
// and few files load much faster than one for each module.

import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly 'sluice-source': string }>>
  readonly imports: Readonly<Record<string, { readonly 'sluice-source': string }>>
}

const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const { exports, imports }: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const doors = Object.values(exports).flatMap((door) => (typeof door === 'string' ? [] : [door['sluice-source']]))
const inner = Object.values(imports).map((entry) => entry['sluice-source'])

// No file of an earlier build is published.
rmSync(join(root, 'dist'), { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: [...doors, ...inner, 'src/cli/bin.ts', 'src/base/check-node.ts'],
  outdir: 'dist',
  outbase: 'src',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'es2024',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'error',
})
for (const door of doors) checkNodeFirst(join(root, door.replace('/src/', '/dist/').replace(/\.ts$/, '.js')))
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' })

/** An older Node gets its sentence before any chunk is at work: which of them come first is the bundler's choice. */
function checkNodeFirst(door: string): void {
  const check = relative(dirname(door), join(root, 'dist', 'base', 'check-node.js')).replaceAll('\\', '/')
  writeFileSync(door, `import '${check.startsWith('.') ? check : `./${check}`}'\n${readFileSync(door, 'utf8')}`)
  const map = JSON.parse(readFileSync(`${door}.map`, 'utf8'))
  writeFileSync(`${door}.map`, JSON.stringify({ ...map, mappings: `;${map.mappings}` }))
}
