import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { flow } from '../flow/start-flow.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { collect, run, stream } from './collect.ts'

const numbers = (to: number): number[] => Array.from({ length: to }, (_, n) => n)
/** Promises that a test resolves by hand, by the event's number. */
class Desk {
  readonly open = new Map<number, PromiseWithResolvers<number>>()
  most = 0

  call = (n: number): Promise<number> => {
    const wait = Promise.withResolvers<number>()
    this.open.set(n, wait)
    this.most = Math.max(this.most, this.open.size)
    return wait.promise
  }

  answer(n: number): void {
    this.open.get(n)?.resolve(n)
    this.open.delete(n)
  }
}
const rest = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('mapAsync', () => {
  it('L32: does not stall behind the slowest call, and keeps the order', async () => {
    const desk = new Desk()
    const found = collect(flow(numbers(8)).mapAsync(desk.call, { concurrency: 4 }))
    await rest()
    deepEqual([...desk.open.keys()], [0, 1, 2, 3])
    for (const n of [1, 2, 3]) desk.answer(n)
    await rest()
    deepEqual([...desk.open.keys()], [0, 4, 5, 6])
    for (const n of [4, 5, 6, 0]) desk.answer(n)
    await rest()
    desk.answer(7)
    deepEqual(await found, numbers(8))
    equal(desk.most, 4)
  })

  it('L32: gives results as they come when no order is asked for', async () => {
    const desk = new Desk()
    const found: number[] = []
    const running = run(flow(numbers(3)).mapAsync(desk.call, { concurrency: 3, ordered: false }), {
      into: (events) => void found.push(...events),
    })
    await rest()
    for (const n of [2, 0, 1]) {
      desk.answer(n)
      await rest()
    }
    await running
    deepEqual(found, [2, 0, 1])
  })

  it('begins no call for results that nobody wants', async () => {
    let begun = 0
    const flowing = flow(numbers(100_000)).mapAsync(
      (n) => {
        begun += 1
        return n
      },
      { concurrency: 10 },
    )
    for await (const n of stream(flowing)) if (n === 5) break
    ok(begun < 20_000, `${begun} were begun`)
  })

  it('L32: runs calls of one key one after the other, in order', async () => {
    const log: string[] = []
    const call = async (n: number): Promise<number> => {
      log.push(`+${n}`)
      await rest()
      log.push(`-${n}`)
      return n
    }
    await run(flow([1, 11, 2, 12, 3]).mapAsync(call, { concurrency: 5, key: (n) => n % 10 }))
    ok(log.indexOf('-1') < log.indexOf('+11') && log.indexOf('-2') < log.indexOf('+12'))
    ok(log.indexOf('+2') < log.indexOf('-1'))
  })

  it('L32: tries again, with a wait that doubles', async () => {
    const clock = new ManualClock()
    const attempts: number[] = []
    const found = collect(
      flow(['a']).mapAsync(
        (_, { attempt }) => {
          attempts.push(attempt)
          if (attempt < 3) throw new Error('not yet')
          return attempt
        },
        { retry: { attempts: 3, backoffMs: 100 } },
      ),
      { clock },
    )
    await rest()
    deepEqual(attempts, [1])
    await clock.advance(100)
    await rest()
    deepEqual(attempts, [1, 2])
    await clock.advance(200)
    deepEqual(await found, [3])
  })

  it('aborts the signal of an attempt that is out of time, and fails with its name', async () => {
    const clock = new ManualClock()
    let isAborted = false
    const found = collect(
      flow(['a']).mapAsync(
        (_, { signal }) =>
          new Promise(() => {
            signal.addEventListener('abort', () => {
              isAborted = true
            })
          }),
        { timeoutMs: 50, name: 'slow' },
      ),
      { clock },
    )
    found.catch(() => {})
    await rest()
    await clock.advance(50)
    await rejects(found, (error: Error) => {
      match(error.message, /^A call of slow ran longer than its 50 ms$/)
      return true
    })
    ok(isAborted)
  })

  it('fails with the very error of a call, and aborts the others', async () => {
    const broken = new Error('broken')
    const signals: AbortSignal[] = []
    const call = (n: number, { signal }: { readonly signal: AbortSignal }): Promise<number> => {
      signals.push(signal)
      return n === 1 ? Promise.reject(broken) : new Promise(() => {})
    }
    await rejects(collect(flow(numbers(3)).mapAsync(call)), broken)
    ok(signals.every(({ aborted }) => aborted))
  })

  it('L32: begins no more calls in a second than it may', async () => {
    const clock = new ManualClock()
    const begun: number[] = []
    const call = (n: number): number => {
      begun.push(clock.nowMs())
      return n
    }
    const running = run(flow(numbers(7)).mapAsync(call, { ratePerSecond: 3 }), { clock })
    for (let second = 0; second < 4; second += 1) {
      await rest()
      await clock.advance(1000)
    }
    await running
    deepEqual(begun, [0, 0, 0, 1000, 1000, 1000, 2000])
  })

  it('L32: begins no more calls in a second than it may, also where they wait for others of their key', async () => {
    const clock = new ManualClock()
    const begun: number[] = []
    const call = async (n: number): Promise<number> => {
      begun.push(clock.nowMs())
      return n
    }
    const options = { ratePerSecond: 2, key: () => 'one' }
    const running = collect(flow(numbers(5)).mapAsync(call, options), { clock })
    for (let second = 0; second < 4; second += 1) {
      await rest()
      await clock.advance(1000)
    }
    deepEqual(await running, numbers(5))
    deepEqual(begun, [0, 0, 1000, 1000, 2000])
  })

  it('L33: asks a lookup once for events of one key, also for those that come meanwhile', async () => {
    const asked: string[] = []
    const lookup = async (key: string): Promise<number> => {
      asked.push(key)
      await rest()
      return key.length
    }
    const enriched = flow(['a', 'bb', 'a', 'bb']).enrich({
      key: (text) => text,
      lookup,
      into: (text, n) => `${text}${n}`,
    })
    deepEqual(await collect(enriched), ['a1', 'bb2', 'a1', 'bb2'])
    deepEqual(asked, ['a', 'bb'])
  })
})
