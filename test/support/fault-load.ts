// A load on the command line that faults are done to, and the oracle of what must be in its target afterwards.

import { deepEqual, equal } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { startPipeline } from 'sluice'
import load from '../jobs/load.ts'
import { type CliOptions, type Outcome, sluice } from './cli.ts'
import { listedIn, unfinishedIn } from './part-files.ts'
import { ROOT } from './project.ts'

export const LOAD: string = join(ROOT, 'test', 'jobs', 'load.ts')

/** What a load left: two loads of the same input agree. */
export interface LoadState {
  readonly rows: number
  readonly dead: number
  /** SHA-256 over the rows, sorted, repeats kept. */
  readonly digest: string
  /** What the checkpoint says has become of every record. */
  readonly totals: Readonly<Record<string, number>>
}

/** Parameters of `test/jobs/load.ts`. */
export interface LoadParams {
  readonly input: string
  readonly out: string
  readonly as?: 'lines' | 'ndjson' | 'csv' | 'tail'
  readonly into?: 'sqlite' | 'other' | 'files' | 'http' | 'stdout' | 'slow'
  readonly store?: string
  readonly timeoutMs?: number
  readonly retryMs?: number
}

/** One target, and the loads into it. */
export class FaultLoad {
  readonly #params: Readonly<Record<string, string>>
  readonly out: string
  /** The SQLite file with checkpoint and dead letters. */
  readonly store: string

  constructor(params: LoadParams) {
    const { out, into = 'sqlite', store } = params
    this.#params = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]))
    this.out = out
    const own = { sqlite: out, other: out, files: join(out, '.sluice.db') }[into as string] ?? `${out}.db`
    this.store = store ?? own
  }

  get args(): string[] {
    return Object.entries(this.#params).flatMap(([name, value]) => ['--param', `${name}=${value}`])
  }

  /** Runs `sluice run` in a process of its own; small epochs, so that faults fall into all parts of them. */
  run(more: readonly string[] = [], options: CliOptions = {}): Promise<Outcome> {
    return sluice(['run', LOAD, '--quiet', '--epoch-ms', '20', ...this.args, ...more], options)
  }

  /** Goes on in this process, without a fault. */
  async goOn(): Promise<LoadState> {
    const run = await startPipeline(load, { params: new Map(Object.entries(this.#params)) })
    await run.done
    return this.state()
  }

  /** Goes on without a fault, and looks whether all is there, each once, and nothing else. */
  async finish(expected: LoadState, fault?: string): Promise<void> {
    deepEqual(await this.goOn(), expected, fault)
    if (!existsSync(join(this.out, '.sluice-unfinished'))) return
    deepEqual(unfinishedIn(this.out), [], fault)
  }

  state(): LoadState {
    const database = new DatabaseSync(this.store, { readOnly: true })
    try {
      const texts = existsSync(join(this.out, '.sluice-unfinished')) ? rowsOfParts(this.out) : rowsOfTable(database)
      const dead = database.prepare('select count(*) as n from dead_letters').get()?.n
      const totals = JSON.parse(String(database.prepare('select totals from sluice_checkpoints').get()?.totals ?? '{}'))
      return { rows: texts.length, dead: Number(dead), digest: digestOf(texts), totals }
    } finally {
      database.close()
    }
  }
}

/** A load from nothing that no fault disturbs. */
export async function undisturbed(params: LoadParams): Promise<LoadState> {
  const state = await new FaultLoad(params).goOn()
  const { read = 0, loaded, dead, blank = 0 } = state.totals
  deepEqual([loaded, dead], [state.rows, state.dead])
  equal(read, state.rows + state.dead + blank, 'what was read adds up')
  return state
}

function rowsOfTable(database: DatabaseSync): string[] {
  return database
    .prepare('select text from lines')
    .all()
    .map(({ text }) => String(text))
}

/** Rows of the part files that count. What is listed is there as it is listed, and nothing else can be seen. */
function rowsOfParts(folder: string): string[] {
  const listed = listedIn(folder)
  const seen = readdirSync(folder).filter((name) => !/^(\.sluice|_manifest-)/.test(name))
  deepEqual(seen.sort(), listed.map(({ path }) => path).sort(), 'what is seen is what is listed')
  return listed.flatMap(({ path, rows }) => {
    const lines = readFileSync(join(folder, path), 'utf8').split('\n').slice(0, -1)
    equal(lines.length, rows, path)
    return lines.map((line) => String(JSON.parse(line).text))
  })
}

function digestOf(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of [...texts].sort()) hash.update(`${Buffer.byteLength(text)}:${text}`)
  return hash.digest('hex')
}
