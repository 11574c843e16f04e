// 0 … n-1 → + 1 → sum, through three stages. Arguments: n, maxDemand, minDemand.

import { connect, consumer, producer, producerConsumer, range } from 'sluice/stage'
import { measure } from './measure.ts'

const [size = 5_000_000, maxDemand = 1000, minDemand = maxDemand / 2] = process.argv.slice(2).map(Number)

await measure(size, async (n) => {
  let next = 0
  let sum = 0
  const numbers = producer<number>({
    onDemand: (demand, self) => {
      const from = next
      next = Math.min(n, from + demand)
      if (next === n) self.complete()
      return range(from, next)
    },
  })
  const plusOne = producerConsumer<number, number>({ onEvents: (events) => events.map((x) => x + 1) })
  const total = consumer<number>({
    onEvents: (events) => {
      let batch = 0
      for (const x of events) batch += x
      sum += batch
    },
  })
  const run = await connect(numbers, plusOne, total, { maxDemand, minDemand })
  await run.done
  return sum
})
