// Loads that leave dead letters of every kind, and what is kept of them.

import { deepEqual, equal, ok } from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOfRecord } from '../../src/connect/origin.ts'
import type { SinkInspector, StoredDeadLetter } from '../../src/connect/sink.ts'
import { buildPipeline } from '../../src/pipeline/build.ts'
import { inspectorOf } from '../../src/pipeline/replay.ts'
import letters from '../jobs/dead-letters.ts'
import { ROOT } from './project.ts'
import { seeded } from './seed.ts'

export const LETTERS: string = join(ROOT, 'test', 'jobs', 'dead-letters.ts')

export type Into = 'sqlite' | 'duckdb' | 'postgres' | 'files' | 'several'

/** The branches of a load into several sinks. */
const BRANCHES: Readonly<Partial<Record<Into, readonly string[]>>> = { several: ['sqlite', 'duckdb'] }

/** What a load left: two loads of the same input agree, whatever happened to them. */
export interface LettersState {
  /** Sink by sink: letters of records by their whole key, and those of results by what they are. */
  readonly records: readonly (readonly string[])[]
  readonly results: readonly (readonly string[])[]
  readonly read: number
}

/** Orders whose times go back now and then, with some that are not valid JSON. Gives the lines. */
export function writeOrders(path: string, orders: number, name: string): string[] {
  const random = seeded(name)
  const lines = Array.from({ length: orders }, (_, n) => {
    if (random() < 0.04) return `{"id":"${n}"`
    const at = n * 60_000 - (random() < 0.1 ? Math.floor(random() * 20_000_000) : 0)
    const items = Array.from({ length: Math.floor(random() * 5) }, () => Math.floor(random() * 1000))
    return JSON.stringify({ id: String(n), at: at + 1e12, items })
  })
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
  return lines
}

/** One load of orders, which may be run several times. */
export class LettersLoad {
  readonly params: ReadonlyMap<string, string>
  readonly #into: Into
  readonly #lines: readonly string[]

  /** @param lines - of the input */
  constructor({ input, into, to, lines }: { input: string; into: Into; to: string; lines: readonly string[] }) {
    this.params = new Map(Object.entries({ input, into, to }))
    this.#into = into
    this.#lines = lines
  }

  get args(): string[] {
    return [...this.params].flatMap(([name, value]) => ['--param', `${name}=${value}`])
  }

  /** Looks into the sink, or into one of its branches. */
  async look<T>(at: (inspector: SinkInspector) => Promise<T>, branch?: string): Promise<T> {
    const inspector = await inspectorOf(buildPipeline(letters, this.params).sink, letters.name, branch)
    try {
      return await at(inspector)
    } finally {
      await inspector.close()
    }
  }

  /** What is kept, after all letters were counted and each was held against its line. */
  async state(): Promise<LettersState> {
    const [records, results]: string[][][] = [[], []]
    let read = 0
    for (const branch of [undefined, ...(BRANCHES[this.#into] ?? [])]) {
      const kept = await this.look((inspector) => inspector.deadLetters({ limit: 1_000_000 }), branch)
      const checkpoint = await this.look((inspector) => inspector.checkpoint(), branch)
      equal(
        kept.length,
        checkpoint?.totals.dead,
        `letters in ${branch ?? 'the first sink'}, and those that were counted`,
      )
      if (branch === undefined) read = checkpoint?.totals.read ?? 0
      for (const letter of kept) this.#checkPlace(letter)
      records?.push(
        kept
          .filter(({ origin }) => isOfRecord(origin))
          .map(wholeKey)
          .sort(),
      )
      results?.push(
        kept
          .filter(({ origin }) => !isOfRecord(origin))
          .map(withoutNumber)
          .sort(),
      )
    }
    return { records: records ?? [], results: results ?? [], read }
  }

  #checkPlace({ origin }: StoredDeadLetter): void {
    const { source, line, offset, raw } = origin
    if (!isOfRecord(origin)) return ok(raw.startsWith('{'), raw)
    const before = this.#lines.slice(0, line - 1)
    deepEqual([source, raw], [this.params.get('input'), this.#lines[line - 1]])
    equal(
      offset,
      before.reduce((bytes, text) => bytes + Buffer.byteLength(text) + 1, 0),
    )
  }
}

function wholeKey({ origin, step, part, reason }: StoredDeadLetter): string {
  return `${origin.source}@${origin.offset} ${step} ${part}: ${reason}`
}

function withoutNumber({ origin, step, reason }: StoredDeadLetter): string {
  return `${step}: ${reason} ${origin.raw}`
}
