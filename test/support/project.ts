// Where the project lies, and what lies beside it.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))
/** Reference data, where it was put beside the project: `../shared/data`. */
export const DATA: string = join(ROOT, '..', 'shared', 'data')

/** The reason to skip a test that needs reference data; false where the data is. */
export function missingData(...folders: readonly string[]): string | false {
  const missing = folders.filter((folder) => !existsSync(join(DATA, folder)))
  return missing.length === 0
    ? false
    : `reference data ${missing.join(', ')} is not beside the project (../shared/data)`
}

/** The project's files below a folder whose names end as told: path from that folder, with `/` → text. */
export function readTree(folder: string, ending: string): Map<string, string> {
  const root = join(ROOT, folder)
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith(ending))
  return new Map(paths.sort().map((path) => [path.split(sep).join('/'), readFileSync(join(root, path), 'utf8')]))
}

/** A path as people write it: from the project's root. */
export function short(path: string): string {
  return relative(ROOT, path)
}
