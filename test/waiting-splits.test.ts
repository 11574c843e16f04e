import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { untilAborted } from '../src/base/promise.ts'
import type { Split } from '../src/connect/source.ts'
import { nowhere } from '../src/engine/assemble.ts'
import type { Execution, Executor, Work } from '../src/engine/executor.ts'
import { LocalGate } from '../src/engine/gate.ts'
import { InFlight } from '../src/engine/in-flight.ts'
import { begin } from '../src/engine/running.ts'
import { Share } from '../src/engine/share.ts'
import { flow, pipeline, type Source, valuesSource } from '../src/index.ts'
import { startFrom } from '../src/pipeline/start.ts'
import { MemoryTable } from '../src/testing/conformance/executor/table.ts'
import { until } from './support/until.ts'

/** Splits that come when a test says so. */
class Desk {
  readonly #asked: PromiseWithResolvers<Split | undefined>[] = []
  isAborted = false

  take = (signal: AbortSignal): Promise<Split | undefined> => {
    const asked = Promise.withResolvers<Split | undefined>()
    this.#asked.push(asked)
    signal.addEventListener('abort', () => {
      this.isAborted = true
    })
    return untilAborted(asked.promise, signal)
  }

  get waiting(): number {
    return this.#asked.length
  }

  async hand(id?: string): Promise<void> {
    await until(() => this.#asked.length > 0, 'a stage that asks')
    this.#asked.shift()?.resolve(id === undefined ? undefined : { id })
  }
}

/** All stages here, and their splits elsewhere. */
function inlineWith(desk: Desk): Executor {
  const start = async ({ inFlight, ...work }: Work): Promise<Execution> => {
    const gate = work.epochs === undefined ? { gate: new LocalGate(work.topology) } : {}
    const deployment = { isHere: () => true, sender: nowhere, receiver: nowhere, queue: () => desk }
    const share = new Share(work.topology, { ...work, ...gate, deployment, inFlight: new InFlight(inFlight) })
    return {
      done: share.done,
      threads: 0,
      placeOf: () => 0,
      takingMs: () => 0,
      figures: (layer) => share.figures(layer),
      drain: () => share.drain(),
      tell: (command) => share.tell(command),
      cancel: (reason) => share.cancel(reason),
    }
  }
  return { stages: 1, start }
}

/** Each split gives its own name twice. */
const names: Source<string> = {
  ...valuesSource<string>([]),
  splits: async () => ['a', 'b'].map((id) => ({ id })),
  open: async ({ id }, from) => await valuesSource([id, id]).open({ id }, from),
}

describe('a stage that waits for its splits', () => {
  it('L100: reads them as they come, and ends after the last one', async () => {
    const desk = new Desk()
    const found: string[] = []
    const { done } = await begin('run', flow(names), { into: (some) => void found.push(...some) }, inlineWith(desk))
    await desk.hand('b')
    await until(() => found.length === 2, 'what b gives')
    await desk.hand('a')
    await desk.hand()
    await done
    deepEqual(found, ['b', 'b', 'a', 'a'])
  })

  it('L100: is cancelled while it waits, with the reason given', async () => {
    const desk = new Desk()
    const running = await begin('run', flow(names), {}, inlineWith(desk))
    await until(() => desk.waiting === 1, 'a stage that asks')
    const failed = rejects(running.done, /no longer wanted/)
    await running.cancel(new Error('no longer wanted'))
    await failed
    ok(desk.isAborted)
  })

  it('L100: lets barriers go out meanwhile, and is drained', async () => {
    const desk = new Desk()
    const table = new MemoryTable()
    const job = pipeline('load', { from: () => names, into: () => table.sink as never })
    const run = await startFrom(job, { epochMs: 5 }, undefined, inlineWith(desk))
    await desk.hand('a')
    await until(() => table.rows.length === 2, 'a commit')
    equal((await run.drain('enough')).outcome, 'drained')
    ok(desk.isAborted)
    const again = await startFrom(job, {}, undefined, inlineWith(desk))
    for (const id of ['a', 'b', undefined]) await desk.hand(id)
    equal((await again.done).outcome, 'finished')
    deepEqual(table.rows, ['a', 'a', 'b', 'b'])
  })
})
