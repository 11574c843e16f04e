import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { collect, countWindow, type Flow, flow, processingTime, start, tumbling, type WindowSpec } from 'sluice'
import { producer } from 'sluice/stage'
import { until } from './support/until.ts'

/** The sum of all partitions for each window of a flow of numbers, partitioned by twos. */
function sums(numbers: Flow<number, never>, window: WindowSpec<number>): Flow<number, unknown> {
  return numbers
    .partition({ stages: 2, hash: (n) => n % 2 })
    .window(window)
    .reduce(
      () => 0,
      (sum, n) => sum + n,
    )
    .departition(
      () => 0,
      (all, sum) => all + sum,
    )
}

/** Gives the numbers again and again until `isEnough`; once every ten milliseconds. */
async function feed(
  source: { emit(events: readonly number[]): void },
  numbers: readonly number[],
  isEnough: () => boolean,
) {
  let rounds = 0
  const isFed = () => {
    if (isEnough()) return true
    source.emit(numbers)
    rounds += 1
    return false
  }
  await until(isFed, 'enough')
  return rounds
}

const total = (all: readonly number[]): number => all.reduce((sum, n) => sum + n, 0)

describe('departition', () => {
  it('L73: gives windows of the clock while the flow is live, each event once', async () => {
    const source = producer<number>({})
    const seen: number[] = []
    const running = await start(sums(flow(source), processingTime('10ms')), { into: (all) => void seen.push(...all) })
    const rounds = await feed(source, [1, 2, 3, 4], () => seen.length >= 3)
    await running.drain()
    equal(total(seen), rounds * 10)
  })

  it('L73: gives them also if all events are of one stage', async () => {
    const source = producer<number>({})
    const seen: number[] = []
    const running = await start(sums(flow(source), processingTime('10ms')), { into: (all) => void seen.push(...all) })
    const rounds = await feed(source, [2], () => seen.length >= 3)
    await running.drain()
    equal(total(seen), rounds * 2)
  })

  it('L73: gives a count window when each stage has filled its own', async () => {
    const source = producer<number>({})
    const seen: number[] = []
    const running = await start(sums(flow(source), countWindow(2)), { into: (all) => void seen.push(...all) })
    const rounds = await feed(source, [1, 2, 3, 4], () => seen.length >= 5)
    ok(seen.length >= 5)
    await running.drain()
    deepEqual(
      seen,
      Array.from({ length: rounds }, () => 10),
    )
  })

  it('L73: count windows of stages with fewer events wait, and go out at the end', async () => {
    deepEqual(await collect(sums(flow([1, 3, 5, 7, 2]), countWindow(2))), [6, 12])
    const one = sums(flow([1, 3, 5, 7, 9, 11]), countWindow(2, { maxOpen: 2 }))
    await rejects(collect(one), {
      code: 'STATE_OVER_LIMIT',
      details: { limit: 2, option: 'maxOpen', operator: 'departition 3' },
    })
  })

  it('L29: gives one event for a window that late events changed, once it has closed', async () => {
    const window = tumbling(10, (n: number) => n, { allowedLateness: 10 })
    deepEqual(await collect(sums(flow([1, 2, 12, 14, 4, 3, 25, 26, 5]), window)), [10, 26, 51])
  })
})
