// At most three events from each producer every 50 ms: a consumer that asks by hand.
// Run: npm run -s example examples/rate-limited.ts
import { connect, consumer, from, type Subscription } from 'sluice/stage'

const PER_INTERVAL = 3
const INTERVAL_MS = 50
const intervals: number[] = []
const open = new Set<Subscription>()

const timer = setInterval(() => {
  intervals.push(0)
  for (const subscription of open) subscription.ask(PER_INTERVAL)
}, INTERVAL_MS)

const limited = consumer<string>({
  name: 'limited',
  onSubscribe(subscription) {
    open.add(subscription)
    return 'manual' // only the timer asks
  },
  onEvents(calls) {
    intervals[intervals.length - 1]! += calls.length
  },
  onCancel: (subscription) => void open.delete(subscription),
  onEnd: () => clearInterval(timer),
})

const calls = Array.from({ length: 10 }, (_, index) => `call ${index}`)
await (await connect(from(calls), limited)).done
for (const events of intervals) console.log(`${events} events`)

// Prints:
// 3 events
// 3 events
// 3 events
// 1 events
