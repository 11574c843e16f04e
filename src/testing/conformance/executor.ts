// What every executor must hold, as tests.

import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { totalsAddUp } from '../../connect/totals.ts'
import type { Executor } from '../../engine/executor.ts'
import { begin, type RunFlowOptions, type RunningFlow } from '../../engine/running.ts'
import type { RunEvent } from '../../pipeline/report.ts'
import { type PipelineRun, type StartOptions, startFrom } from '../../pipeline/start.ts'
import { FAILING, ITEMS, PLANS, REFUSING } from './executor/jobs.ts'
import type { MemoryTable } from './executor/table.ts'

/** An executor under test. */
export interface ExecutorSubject {
  readonly name: string
  readonly make: () => Executor
}

/** Events as text, sorted: those of several stages come in no particular order. */
export function inOrder(events: readonly unknown[]): string[] {
  return events.map((event) => JSON.stringify(event)).sort()
}

/**
 * Runs flows and pipelines on an executor: their output, how they fail, drain and are cancelled, and what becomes of
 * rejected events (docs/specs/flow.md, L95 to L99).
 *
 * @example
 * executorConformance({ name: 'inline', make: () => inline })
 */
export function executorConformance({ name, make }: ExecutorSubject): void {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  let modules = 0
  /** A module of its own for each test. */
  const jobOf = (plan: string, source = 'items'): URL => {
    const url = new URL(`./executor/jobs.${extension}`, import.meta.url)
    modules += 1
    url.search = new URLSearchParams({ plan, source, module: `${name} ${modules}` }).toString()
    return url
  }
  const run = (job: URL, options: RunFlowOptions<unknown> = {}): Promise<RunningFlow> =>
    begin('run', job, options, make())
  const load = (job: URL, options: StartOptions = {}): Promise<PipelineRun> =>
    startFrom(job, { name: 'load', epochEvents: 25, maxRestarts: 0, ...options }, undefined, make())
  const tableOf = async (job: URL): Promise<MemoryTable> => (await import(job.href)).table

  describe(`executor ${name}`, () => {
    for (const [plan, { expected }] of Object.entries(PLANS)) {
      it(`L95: gives what arrays give, of a flow and of a pipeline: ${plan}`, async () => {
        const found: unknown[] = []
        await (await run(jobOf(plan), { into: (events) => void found.push(...events) })).done
        deepEqual(inOrder(found), inOrder(expected(ITEMS)))
        const job = jobOf(plan)
        await (await load(job)).done
        deepEqual(inOrder((await tableOf(job)).rows), inOrder(expected(ITEMS)))
      })
    }

    for (const plan of [...Object.keys(FAILING), ...Object.keys(REFUSING)]) {
      it(`L96: a flow fails with what a function threw: ${plan}`, async () => {
        await rejects(
          run(jobOf(plan)).then(({ done }) => done),
          /broken/,
        )
      })
    }

    for (const plan of Object.keys(REFUSING)) {
      it(`L96: in a pipeline only the event at which a function threw is rejected: ${plan}`, async () => {
        const job = jobOf(plan)
        const { overall } = await (await load(job)).done
        const { rows, letters } = await tableOf(job)
        const others = ITEMS.filter(({ id }) => id !== 50)
        deepEqual(inOrder(rows), inOrder(others.map(({ id }) => id)))
        deepEqual(
          letters.map(({ reason }) => reason),
          ['broken'],
        )
        ok(totalsAddUp(overall))
      })
    }

    it('L96: fails with what a source threw; of a pipeline nothing is lost of what was committed, or twice', async () => {
      await rejects(
        run(jobOf('map, filter and flatMap', 'failing')).then(({ done }) => done),
        /broken/,
      )
      const job = jobOf('mapAsync', 'failing')
      await rejects(
        load(job).then(({ done }) => done),
        /broken/,
      )
      await rejects(
        load(job).then(({ done }) => done),
        /broken/,
      )
      const { rows } = await tableOf(job)
      equal(new Set(rows).size, rows.length)
    })

    it('L96: fails with the error of a source that can be acted on, and reads it no second time', async () => {
      const damaged = { code: 'SOURCE_CORRUPT', details: { source: 'items', offset: 7, found: 'damage' } }
      await rejects(
        run(jobOf('mapAsync', 'damaged')).then(({ done }) => done),
        damaged,
      )
      for (const source of ['damaged', 'failing']) {
        const retries: RunEvent[] = []
        const onEvent = (event: RunEvent): void => {
          if (event.kind === 'retrying') retries.push(event)
        }
        const loading = load(jobOf('mapAsync', source), { maxRestarts: 3, onEvent })
        await rejects(
          loading.then(({ done }) => done),
          source === 'damaged' ? damaged : /broken/,
        )
        deepEqual(retries, [], source)
      }
    })

    it('L96: fails where an operator holds more than it may, and is not begun again', async () => {
      const full = { code: 'STATE_OVER_LIMIT', details: { operator: 'once', option: 'maxKeys', limit: 20 } }
      await rejects(
        run(jobOf('limited')).then(({ done }) => done),
        full,
      )
      const retries: RunEvent[] = []
      const onEvent = (event: RunEvent): void => {
        if (event.kind === 'retrying') retries.push(event)
      }
      await rejects(
        load(jobOf('limited'), { maxRestarts: 3, onEvent }).then(({ done }) => done),
        full,
      )
      deepEqual(retries, [])
    })

    it('L96: fails with the error of a consumer; of a pipeline a later run loads what was not committed', async () => {
      const error = new Error('the sink is broken')
      const refuse = (): never => {
        throw error
      }
      await rejects(
        run(jobOf('mapAsync'), { into: refuse }).then(({ done }) => done),
        error,
      )
      const job = jobOf('mapAsync')
      const table = await tableOf(job)
      table.failure = { commit: 1, error }
      await rejects(
        load(job).then(({ done }) => done),
        error,
      )
      await (await load(job)).done
      deepEqual(inOrder(table.rows), inOrder(ITEMS.map(({ id }) => id)))
    })

    it('L96: emits no results of a flow that fails', async () => {
      const found: unknown[] = []
      const running = run(jobOf('total', 'failing'), { into: (events) => void found.push(...events) })
      await rejects(
        running.then(({ done }) => done),
        /broken/,
      )
      deepEqual(found, [])
    })

    it('L97: drains a flow: all that was read goes through', async () => {
      const found: unknown[] = []
      const running = await run(jobOf('mapAsync', 'endless'), { into: (ids) => void found.push(...ids) })
      await until(() => found.length > 100)
      const { events } = await running.drain()
      deepEqual(inOrder(found), inOrder(Array.from({ length: events }, (_, id) => id)))
    })

    it('L97: drains a pipeline, which then continues where it was', async () => {
      const job = jobOf('map, filter and flatMap', 'endless')
      for (let times = 0; times < 2; times += 1) {
        const running = await load(job)
        const before = running.progress().epoch
        await until(() => running.progress().epoch > before + 1)
        equal((await running.drain('enough')).outcome, 'drained')
      }
      const { rows, checkpoint } = await tableOf(job)
      const ids = Array.from({ length: checkpoint?.totals.read ?? 0 }, (_, id) => id).filter((id) => id % 3 !== 0)
      deepEqual(inOrder(rows), inOrder(ids.flatMap((id) => [id, -id])))
    })

    it('L98: is cancelled with the reason given, or that of its signal', async () => {
      const reason = new Error('no longer wanted')
      const running = await run(jobOf('mapAsync', 'endless'))
      const failed = rejects(running.done, reason)
      await running.cancel(reason)
      await failed
      const abort = new AbortController()
      const loading = await load(jobOf('mapAsync', 'endless'), { signal: abort.signal })
      abort.abort(reason)
      await rejects(loading.done, reason)
      await rejects(
        load(jobOf('mapAsync', 'endless'), { signal: abort.signal }).then(({ done }) => done),
        reason,
      )
    })

    it('L99: counts and tells late events of a flow; in a pipeline they are dead letters', async () => {
      const late: unknown[] = []
      const running = await run(jobOf('late'), { onLate: (_, event) => late.push(event) })
      equal((await running.done).late, 1)
      equal(late.length, 1)
      const job = jobOf('late')
      await (await load(job)).done
      const [letter, ...others] = (await tableOf(job)).letters
      match(letter?.reason ?? '', /too late/)
      deepEqual(others, [])
    })
  })
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate)
}
