// The package as it is published, made in a folder of its own: the checkout stays as it is.

import { equal } from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './project.ts'

export const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
/** npm runs on this Node, not on whichever the machine has. */
export const NPM_ENV: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
}

/** Builds and packs into `folder`. */
export function packInto(folder: string): { readonly tarball: string; readonly files: readonly string[] } {
  const stage = join(folder, 'stage')
  mkdirSync(stage)
  for (const file of [...readdirSync(ROOT).filter((name) => /\.(json|md)$|^LICENSE$/.test(name)), 'src', 'docs']) {
    cpSync(join(ROOT, file), join(stage, file), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(stage, 'node_modules'))
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.ts'), stage])
  const pack = spawnSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: stage,
    encoding: 'utf8',
    env: NPM_ENV,
  })
  equal(pack.status, 0, pack.stderr)
  const listed: unknown = JSON.parse(pack.stdout)
  const [{ filename, files }] = Object.values(listed as object) as [{ filename: string; files: { path: string }[] }]
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) }
}

/** Nodes of the machine's own that are older than 24: path → version. */
export function oldNodes(): Map<string, string> {
  const found = new Map<string, string>()
  const folders = ['/usr/local/bin', '/usr/bin', ...(process.env.PATH ?? '').split(':')]
  for (const path of new Set(folders.map((folder) => join(folder, 'node')))) {
    if (!existsSync(path)) continue
    const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? ''
    const isOld = Number(/^v(\d+)/.exec(version)?.[1] ?? 99) < 24
    if (isOld && ![...found.values()].includes(version)) found.set(path, version)
  }
  return found
}
