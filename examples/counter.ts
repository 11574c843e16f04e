// Counts as long as someone asks: the source gets the demand, and the consumer stops when it has enough.
// Run: npm run -s example examples/counter.ts
import { connect, consumer, producer, producerConsumer, range } from 'sluice/stage'

let next = 0
const counter = producer<number>({
  name: 'counter',
  onDemand(demand) {
    next += demand
    return range(next - demand, next) // as many numbers as were asked for, never one more
  },
})

const double = producerConsumer<number, number>({ name: 'double', onEvents: (numbers) => numbers.map((n) => n * 2) })

const printer = consumer<number>({
  name: 'printer',
  onEvents(numbers, _from, self) {
    console.log(numbers.join(' '))
    if (numbers.includes(18)) self.cancel('enough')
  },
})

const run = await connect(counter, double, printer, { maxDemand: 4, minDemand: 2 })
await run.done
console.log(`printer was ${printer.ending?.kind}, counter was ${counter.ending?.kind}`)

// Prints:
// 0 2
// 4 6
// 8 10
// 12 14
// 16 18
// printer was cancelled, counter was cancelled
