// New projects, as `sluice init` writes them.

import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { projectFiles } from '../../src/scaffold/project.ts'

export interface NewProject {
  readonly source: string
  readonly sink: string
  readonly key?: string | undefined
}

/** Writes a project into a folder; gives its path. */
export function writeProject(folder: string, { source, sink, key }: NewProject): string {
  const name = basename(folder)
  for (const [path, text] of projectFiles({ name, source, sink, key, releaseOf: () => '*' })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}
