import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type PipelineRun, pipeline, SluiceError, type Source, type SourceCounts, startPipeline } from 'sluice'
import { batchOf } from '../src/connect/batch.ts'
import type { Flow } from '../src/flow/flow.ts'
import { FLOWS, type Reading, type Row } from '../src/testing/simulation/flows.ts'
import { type Faults, type Life, NO_FAULTS, Store } from '../src/testing/simulation/store.ts'
import { World } from '../src/testing/simulation/world.ts'
import { seeded } from './support/seed.ts'

/** Seeds that found something once. */
const KNOWN = [773]

/** Worlds in one run of the tests: `SIM_SEEDS=2000` for all of them, `SIM_SEED=n` for one. */
const SEEDS = Number(process.env.SIM_SEEDS ?? 300)
const ONE = process.env.SIM_SEED
/** Steps that a run without faults takes at the very most. */
const MOST_STEPS = 20_000
/** Attempts with faults before they stop. */
const MOST_FAULTY = 6

/** What a seed makes: a flow, what it reads, and what goes wrong. */
class Simulation {
  readonly world: World
  readonly #flow: string
  readonly #splits: readonly (readonly number[])[]
  readonly #epochEvents: number

  constructor(seed: number) {
    this.world = new World(seeded(`simulation ${seed}`))
    const { world } = this
    const names = Object.keys(FLOWS)
    this.#flow = names[world.upTo(names.length)] as string
    this.#splits = Array.from({ length: 1 + world.upTo(3) }, () =>
      Array.from({ length: world.upTo(40) }, () => world.upTo(41)),
    )
    this.#epochEvents = 1 + world.upTo(15)
  }

  get what(): string {
    return `${this.#flow}, ${this.#splits.map((split) => split.length).join(' + ')} records`
  }

  /** The tables of a run that nothing disturbs. */
  async undisturbed(): Promise<readonly string[]> {
    const store = new Store()
    const life: Life = { isDead: false, paused: undefined }
    const run = await this.world.until(
      this.#start(store, life, () => {}),
      MOST_STEPS,
    )
    await this.world.until(run.done, MOST_STEPS)
    return tablesOf(store)
  }

  /** Safety: with faults all the time. Liveness: then without, it comes to its end, with the same tables. */
  async disturbed(): Promise<readonly string[]> {
    const { world } = this
    const store = new Store()
    store.faults = { lost: world.upTo(3) * 0.02, lostAnswer: world.upTo(3) * 0.1, crash: world.upTo(3) * 0.02 }
    for (let attempt = 0; attempt < MOST_FAULTY; attempt += 1) await this.#live(store, store.faults)
    store.faults = NO_FAULTS
    const life: Life = { isDead: false, paused: undefined }
    const run = await world.until(
      this.#start(store, life, () => {}),
      MOST_STEPS,
    )
    await world.until(run.done, MOST_STEPS)
    return tablesOf(store)
  }

  /** One process, from its start to its end: it finishes, is told to stop, crashes, or is stopped and taken over. */
  async #live(store: Store, faults: Faults): Promise<void> {
    const { world } = this
    const life: Life = { isDead: false, paused: undefined }
    const over = Promise.withResolvers<'crashed' | 'stopped'>()
    const crash = (): void => {
      life.isDead = true
      over.resolve('crashed')
    }
    const work = (async (): Promise<void> => {
      const run = await this.#start(store, life, crash)
      if (world.chance(0.3)) {
        void world.clock.sleep(world.upTo(20_000)).then(() => run.drain('the seed says so').catch(() => {}))
      }
      if (world.chance(0.3)) {
        void world.clock.sleep(world.upTo(20_000)).then(() => {
          life.paused = Promise.withResolvers()
          over.resolve('stopped')
        })
      }
      await run.done
    })()
    const ended = await world.until(Promise.race([work.then(() => 'ended', failed), over.promise]), MOST_STEPS)
    if (ended !== 'stopped') {
      // Its lease ends with it.
      life.isDead = true
      return
    }
    // Another one takes over, and does some work; then the first one wakes.
    const takenOver = this.#live(store, faults)
    if (world.chance(0.5)) await takenOver
    life.paused?.resolve()
    life.paused = undefined
    await takenOver
    // Whatever it still wants to do is refused, or it was dead already.
    await world.until(Promise.race([work.then(() => 'ended', failed), world.clock.sleep(3_600_000)]), MOST_STEPS)
    life.isDead = true
  }

  #start(store: Store, life: Life, crash: () => void): Promise<PipelineRun> {
    const { world } = this
    const found = FLOWS[this.#flow]
    if (found === undefined) throw new TypeError(this.#flow)
    const job = pipeline<Record<never, never>, Reading, Row>('simulated', {
      from: () => this.#source(life),
      flow: (readings) => found.of(readings) as Flow<Row>,
      into: () => store.sink(world, life, found.key, crash),
    })
    return startPipeline(job, {
      epochEvents: this.#epochEvents,
      epochMs: 1 + world.upTo(3000),
      clock: world.clock,
      retryMs: 3_600_000,
    })
  }

  #source(life: Life): Source<Reading> {
    const { world } = this
    const splits = this.#splits
    return {
      kind: 'readings',
      title: 'readings',
      splits: async () => splits.map((_, id) => ({ id: `${id}` })),
      open: async ({ id }, from) => {
        const all = splits[Number(id)] ?? []
        const before = splits.slice(0, Number(id)).reduce((sum, split) => sum + split.length, 0)
        let at = typeof from === 'number' ? from : 0
        const counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
        const touch = async <T>(work: () => T): Promise<T> => {
          if (life.paused !== undefined) await life.paused.promise
          return life.isDead ? await new Promise<T>(() => {}) : await world.touch(work)
        }
        return await touch(() => ({
          read: (max: number) =>
            touch(() => {
              if (at >= all.length) return undefined
              const start = at
              at = Math.min(all.length, at + Math.min(max, 1 + world.upTo(10)))
              counts.read += at - start
              const values = all.slice(start, at).map((n, i) => ({ n, at: (before + start + i) * 2 + (n % 5) }))
              const originAt = (i: number) => ({ source: id, line: 0, offset: start + i, raw: `${all[start + i]}` })
              return { events: batchOf(values, { at: originAt }), rejected: [] }
            }),
          position: () => at,
          counts,
          get doneBytes() {
            return at
          },
          close: async () => {},
        }))
      },
    }
  }
}

/** Ends that a process may come to while things go wrong. */
function failed(error: unknown): string {
  const code = error instanceof SluiceError ? error.code : undefined
  if (code === 'PIPELINE_HELD' || code === 'SINK_LOST' || code === 'SINK_UNREACHABLE') return code
  throw error
}

function tablesOf({ rows, letters }: Store): readonly string[] {
  return [
    ...[...rows.values()].map((row) => JSON.stringify(row)),
    ...[...letters].map((letter) => letter.join(': ')),
  ].sort()
}

describe(`a simulated pipeline, ${ONE === undefined ? `${SEEDS} seeds` : `seed ${ONE}`} (C2, C4, C6, C20, C24, C32)`, () => {
  it('F1, F7, F9, F30, F35: comes to the tables of one that nothing disturbs, whatever happens', async () => {
    const seeds = ONE === undefined ? [...KNOWN, ...Array.from({ length: SEEDS }, (_, seed) => seed)] : [Number(ONE)]
    for (const seed of seeds) {
      const simulation = new Simulation(seed)
      const repro = `REPRO: SIM_SEED=${seed} node --conditions=sluice-source --test test/simulation.test.ts`
      try {
        const expected = await simulation.undisturbed()
        deepEqual(await simulation.disturbed(), expected)
      } catch (error) {
        throw new Error(`${simulation.what}: ${(error as Error).message}\n${repro}`, { cause: error })
      }
    }
  })
})
