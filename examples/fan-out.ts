// One source, four workers: whichever asks gets the next events, so a slow worker gets fewer and does not delay the
// others. Run: npm run -s example examples/fan-out.ts
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, consumer, from, range } from 'sluice/stage'

const pages = from(range(1, 41), { name: 'pages' })
const fetched = [0, 0, 0, 0]
const seen = new Set<number>()

const workers = fetched.map((_, worker) =>
  consumer<number>({
    name: `worker-${worker}`,
    async onEvents(numbers) {
      await sleep(worker === 3 ? 60 : 5) // the fourth has a slow connection
      for (const number of numbers) seen.add(number)
      fetched[worker]! += numbers.length
    },
  }),
)

await (await connect(pages, workers, { maxDemand: 2, minDemand: 1 })).done

const [total, slowest] = [fetched.reduce((sum, events) => sum + events, 0), fetched[3] ?? 0]
console.log(`${total} pages, ${seen.size} different ones`)
console.log(`the slow worker had the fewest: ${fetched.slice(0, 3).every((events) => events > slowest)}`)

// Prints:
// 40 pages, 40 different ones
// the slow worker had the fewest: true
