// n numbers to four consumers. Arguments: dispatcher, n.

import { broadcast, connect, consumer, demand, fair, partition, producer, range } from 'sluice/stage'
import { measure } from './measure.ts'

const [kind = 'demand', sizeText = '2000000'] = process.argv.slice(2)
const DISPATCHERS = {
  demand,
  broadcast,
  fair,
  partition: () => partition<number>({ partitions: 4, hash: (n) => n % 4 }),
}
const make = DISPATCHERS[kind as keyof typeof DISPATCHERS] as typeof demand<number>

await measure(Number(sizeText), async (n) => {
  let next = 0
  const sums = [0, 0, 0, 0]
  const numbers = producer<number>({
    dispatcher: make(),
    onDemand: (wanted, self) => {
      const from = next
      next = Math.min(n, from + wanted)
      if (next === n) self.complete()
      return range(from, next)
    },
  })
  const consumers = sums.map((_, index) => {
    return consumer<number>({
      onEvents: (events) => {
        let batch = 0
        for (const x of events) batch += x
        sums[index] = (sums[index] ?? 0) + batch
      },
    })
  })
  await (await connect(numbers, consumers)).done
  return sums.reduce((sum, x) => sum + x)
})
