import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import { count } from '../aggregate/count.ts'
import { flow, flows } from '../flow/start-flow.ts'
import { consumer } from '../stage/make.ts'
import { tumbling } from '../window/window.ts'
import { collect, run, start, stream } from './collect.ts'

/** An endless source that tells when it was closed. */
function endless(): { readonly source: () => Generator<number>; closed: number } {
  const told = {
    closed: 0,
    *source() {
      try {
        for (let n = 0; ; n += 1) yield n
      } finally {
        told.closed += 1
      }
    },
  }
  return told
}

const sum = (all: number, n: number): number => all + n
const zero = (): number => 0

describe('run', () => {
  it('L41: hands each event to one of several consumers', async () => {
    const seen: number[][] = [[], []]
    const into = seen.map((mine) => consumer<number>({ onEvents: (events) => void mine.push(...events) }))
    const numbers = Array.from({ length: 20_000 }, (_, n) => n)
    deepEqual(await run(flow(numbers), { into }), { events: 20_000, late: 0, dead: 0, ahead: 0 })
    deepEqual(
      seen.flat().toSorted((a, b) => a - b),
      numbers,
    )
  })

  it('L41: hands batches to a function and waits for it, and writes to streams of both kinds', async () => {
    let under = 0
    const batches: number[] = []
    await run(flow(Array.from({ length: 10_000 }, (_, n) => n)), {
      async into(events) {
        equal(under, 0)
        under += 1
        await setImmediate()
        under -= 1
        batches.push(events.length)
      },
    })
    equal(batches.reduce(sum, 0), 10_000)
    const node = new PassThrough({ objectMode: true })
    await run(flow([1, 2]), { into: node })
    deepEqual(node.read(), 1)
    const seen: unknown[] = []
    await run(flow([3, 4]), { into: new WritableStream({ write: (event) => void seen.push(event) }) })
    deepEqual(seen, [3, 4])
  })

  it('L41: counts what nobody takes', async () => {
    deepEqual(await run(flow([1, 2, 3])), { events: 3, late: 0, dead: 0, ahead: 0 })
  })

  it('L46: tells of late and refused events, and counts them', async () => {
    const told: unknown[] = []
    const checked = flow([{ at: 0 }, { at: 9000 }, { at: 100 }, { at: -1 }])
      .validate(z.object({ at: z.number().min(0) }), { name: 'check' })
      .window(tumbling('1s', ({ at }) => at))
      .aggregate({ n: count() }, { name: 'seconds' })
    const report = await run(checked, {
      onLate: (operator, event) => told.push([operator, event]),
      onDead: ({ operator, value }) => told.push([operator, value]),
    })
    deepEqual(report, { events: 2, late: 1, dead: 1, ahead: 0 })
    deepEqual(told.toSorted(), [
      ['check', { at: -1 }],
      ['seconds', { at: 100 }],
    ])
  })

  it('L46: warns at the end where nobody asked to be told', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    const refused = flow([1, 2]).validate(z.string() as never, { name: 'check' })
    await run(refused)
    equal((await warned).message.split(':')[0], 'check rejected 1')
  })

  it('L43: fails with what a function threw, and gives no state then', async () => {
    const error = new Error('three is too many')
    const seen: unknown[] = []
    const failing = flow([1, 2, 3]).map((n) => {
      if (n === 3) throw error
      return n
    })
    await rejects(run(failing.reduce(zero, sum), { into: (events) => void seen.push(...events) }), error)
    await rejects(run(failing.window(tumbling('1s', Number)).aggregate({ n: count() })), error)
    deepEqual(seen, [])
  })

  it('L43: fails with what a source threw, or its sink', async () => {
    const broken = function* (): Generator<number> {
      yield 1
      throw new Error('torn')
    }
    await rejects(collect(flow(broken)), /torn/)
    const into = (): void => {
      throw new Error('full')
    }
    await rejects(run(flow([1]), { into }), /full/)
  })

  it('L44: ends with the reason of its signal, at once or before it starts', async () => {
    const reason = new Error('enough')
    const told = endless()
    const abort = new AbortController()
    const running = run(flow(told.source), { signal: abort.signal })
    await setImmediate()
    abort.abort(reason)
    await rejects(running, reason)
    equal(told.closed, 1)
    await rejects(run(flow(told.source), { signal: abort.signal }), reason)
    equal(told.closed, 1)
  })

  it('L22: closes the sources when enough was taken', async () => {
    const [one, two] = [endless(), endless()]
    equal((await collect(flows([one.source, two.source]).take(5))).length, 5)
    deepEqual([one.closed, two.closed], [1, 1])
    deepEqual(await collect(flow(one.source).take(0)), [])
  })

  it('runs a flow twice, from a source that can be begun twice', async () => {
    const built = flow(function* () {
      yield* [1, 2]
    })
    deepEqual(
      [await collect(built), await collect(built)],
      [
        [1, 2],
        [1, 2],
      ],
    )
  })
})

describe('start', () => {
  it('L45: drains: the sources are closed, and states give their results', async () => {
    const told = endless()
    const seen: unknown[] = []
    const running = await start(
      flow(told.source)
        .partition({ stages: 3 })
        .reduce(zero, (n) => n + 1),
      {
        into: (events) => void seen.push(...events),
      },
    )
    await setImmediate()
    deepEqual(await running.drain(), { events: 3, late: 0, dead: 0, ahead: 0 })
    equal(told.closed, 1)
    equal(seen.length, 3)
  })

  it('drains at the end of its block', async () => {
    const told = endless()
    {
      await using running = await start(flow(told.source))
      ok(running.done instanceof Promise)
    }
    equal(told.closed, 1)
  })

  it('L44: is cancelled, with a reason of its own or the one given', async () => {
    const told = endless()
    const running = await start(flow(told.source))
    const failed = rejects(running.done, { name: 'AbortError' })
    await running.cancel()
    await failed
    equal(told.closed, 1)
  })
})

describe('stream', () => {
  it('L42: starts at the first next, and not before', async () => {
    let begun = 0
    const events = stream(
      flow(function* () {
        begun += 1
        yield 1
      }),
    )
    await setImmediate()
    equal(begun, 0)
    deepEqual(await events.next(), { done: false, value: 1 })
    equal(begun, 1)
    deepEqual(await events.next(), { done: true, value: undefined })
  })

  it('L42: break closes the sources, and waits for that', async () => {
    const told = endless()
    for await (const n of stream(flow(told.source).map((m) => m * 2))) if (n >= 10) break
    equal(told.closed, 1)
  })

  it('L43: throws behind the events that came before', async () => {
    const seen: number[] = []
    const failing = flow(function* () {
      yield* [1, 2]
      throw new Error('torn')
    })
    await rejects(async () => {
      for await (const n of stream(failing)) seen.push(n)
    }, /torn/)
    deepEqual(seen, [1, 2])
  })

  it('does not read ahead of who reads by more than its buffers hold', async () => {
    let read = 0
    const source = function* (): Generator<number> {
      for (;;) {
        read += 1
        yield read
      }
    }
    for await (const n of stream(flow(source).map((m) => m))) {
      await setImmediate()
      if (n === 20) break
    }
    ok(read < 50_000, `${read} were read`)
  })
})
