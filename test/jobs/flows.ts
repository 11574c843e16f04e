// Flows that tests run on threads: each worker imports this module.

import { collectAll, count, flow, quantile, shared, sum, topK, tumbling } from './sluice.ts'

const numbers = (to: number) =>
  function* (): Generator<number> {
    for (let n = 0; n < to; n += 1) yield n
  }

/** Tells all threads of something, by a channel of that name. */
function tell(what: string): void {
  const channel = new BroadcastChannel(what)
  channel.postMessage(true)
  channel.close()
}

export default flow(numbers(10_000))
  .map((n) => n * 2)
  .keyBy((n) => n % 10)
  .aggregate({ n: count(), total: sum((n: number) => n) })

export const partitioned = flow(numbers(10_000))
  .partition({ stages: 3, key: (n) => n % 7 })
  .reduce(
    () => new Map<number, number>(),
    (counts, n) => counts.set(n % 7, (counts.get(n % 7) ?? 0) + 1),
  )

const readings = Array.from({ length: 5000 }, (_, n) => ({ at: n * 20, sensor: `s${n % 5}`, celsius: n % 40 }))

export const windows = flow(readings)
  .keyBy(({ sensor }) => sensor)
  .window(tumbling('1s', ({ at }) => at))
  .aggregate({
    n: count(),
    median: quantile(({ celsius }: { celsius: number }) => celsius, 0.5),
    top: topK(2, ({ celsius }: { celsius: number }) => celsius),
  })

export const late = flow([0, 5000, 100, 6000])
  .window(tumbling('1s', (n) => n))
  .aggregate({ all: collectAll<number>() })

export const values = flow([undefined, null, -0, Number.NaN, 10n, new Date(5), new Map([[1, 'a']]), { a: ['\ud800'] }])
  .shuffle()
  .map((value) => value)

export const joined = flow(numbers(500)).join(
  flow(numbers(500)).map((n) => ({ id: n * 2 })),
  {
    left: (n) => n,
    right: ({ id }) => id,
  },
)

export const waiting = flow(numbers(100)).mapAsync(async (n) => n + shared, { concurrency: 4 })

export const throwing = flow([1, 2, 3])
  .map((n) => n)
  .map(
    (n) => {
      if (n === 2) throw new RangeError('two is too many')
      return n
    },
    { name: 'picky' },
  )

export const ahead = flow(Array.from({ length: 30 }, (_, n) => Date.UTC(2200, 0, 1) + n))
  .window(tumbling('1s', (at: number) => at))
  .aggregate({ n: count() })
export const inOrder = flow(Array.from({ length: 40 }, (_, n) => n))
  .map((n) => n)
  .mapAsync((n) => new Promise<number>((resolve) => setTimeout(() => resolve(n), (n * 7) % 5)), { concurrency: 10 })

export const exiting = flow([1]).map(() => process.exit(3))
export const hanging = flow([1]).map(
  (n) => {
    while (n === 1);
    return n
  },
  { name: 'stuck' },
)
const stuck = (): never => {
  for (;;);
}
export const hangingLater = flow([1])
  .flatMap(function* () {
    for (let n = 0; n < 2000; n += 1) yield n
    yield stuck()
  })
  .shuffle({ stages: 2 })
  .map((n) => n)
export const hangingAtEnd = flow([1])
  .aggregate({ n: count() })
  .map(({ n }) => (n === 1 ? stuck() : n), { name: 'stuck' })
export const growing = flow([1]).map(() => {
  const kept: object[] = []
  for (;;) kept.push({ kept: kept.length })
})
export const endless = flow(numbers(Number.POSITIVE_INFINITY)).map((n) => n)
export const drained = flow(numbers(Number.POSITIVE_INFINITY))
  .partition({ stages: 2, key: (n) => n })
  .map((n) => {
    if (n === 999) tell('the thousandth')
    return n
  })
  .aggregate({ n: count(), total: sum((n: number) => n) })
export const different = flow([1]).map((n) => n, { name: `named ${Math.random()}` })
export const unclonable = flow([1, 2, 3]).map((n) => () => n)
