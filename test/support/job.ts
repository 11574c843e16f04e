// A pipeline or flow of a test's own, in a folder of its own, run by the command line as a person runs it.

import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Out } from '../../src/cli/io.ts'
import { main } from '../../src/cli/main.ts'
import { rowsIn } from '../../src/testing/rows-in.ts'
import { type CliOptions, type Outcome, sluice } from './cli.ts'
import { ROOT } from './project.ts'

/** The doors of systems, as text; what is exported by none of them is by `sluice`. */
const DOORS = globSync('src/connect/*/index.ts', { cwd: ROOT }).map(
  (path) => [path, readFileSync(join(ROOT, path), 'utf8')] as const,
)

/** A line that imports names, listed with commas between them, each from its door. */
export function importsFor(names: string): string {
  const imports = names.split(',').map((name) => {
    const exported = new RegExp(`\\b${name.trim().split(' ')[0]}\\b[,\\s}]`)
    const [path] = DOORS.find(([, text]) => exported.test(text)) ?? ['src/index.ts']
    return `import { ${name.trim()} } from ${JSON.stringify(pathToFileURL(join(ROOT, path)).href)}`
  })
  return `${imports.join('; ')}\n`
}

export type Told = Pick<Outcome, 'code' | 'stdout' | 'stderr'>

/** Runs a command line in this process. */
export async function sluiceHere(argv: readonly string[]): Promise<Told> {
  const [stdout, stderr]: [string[], string[]] = [[], []]
  const outOf = (told: string[]): Out => ({ write: (text) => told.push(text) })
  const code = await main(argv, { stdout: outOf(stdout), stderr: outOf(stderr), env: {} })
  return { code, stdout: stdout.join(''), stderr: stderr.join('') }
}

export class Job {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'sluice-job-'))
  readonly file: string = join(this.folder, 'job.ts')

  /** @param code - the module, without its imports of `names` from Sluice */
  constructor(names: string, code: string) {
    writeFileSync(this.file, `${importsFor(names)}${code}`)
  }

  /** The path of a file of the folder. */
  path(name: string): string {
    return join(this.folder, name)
  }

  /** Writes a file of the folder; gives its path. */
  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content)
    return this.path(name)
  }

  /** Runs a command on the module, in its folder. */
  call(command: string, words: readonly string[] = [], options: CliOptions = {}): Promise<Outcome> {
    return sluice([command, this.file, ...words], { cwd: this.folder, ...options })
  }

  /** Runs a command on the module in this process: a tenth of the time, where nothing but what is told counts. */
  here(command: string, words: readonly string[] = []): Promise<Told> {
    return sluiceHere([command, this.file, ...words])
  }

  /** The rows of a query of a SQLite database in the folder. */
  query(database: string, sql: string): Record<string, unknown>[] {
    return rowsIn(this.path(database), sql)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
