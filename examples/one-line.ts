// The same three parts, wired in one line: anything iterable is a source, and `connect` ties stages together, watches them and cleans up.
// Run: npm run -s example examples/one-line.ts
import { Readable } from 'node:stream'
import { connect, consumer, producerConsumer } from 'sluice/stage'

const readings = Readable.from(['kitchen 68.0', 'cellar 50.9', 'kitchen 71.6'])
const table = new Map<string, number>()

const toCelsius = producerConsumer<string, [room: string, celsius: number]>({
  name: 'toCelsius',
  onEvents: (lines) => lines.map((line) => parse(line)),
})

function parse(line: string): [string, number] {
  const [room = '', fahrenheit] = line.split(' ')
  return [room, Math.round(((Number(fahrenheit) - 32) / 9) * 50) / 10]
}

const load = consumer<[string, number]>({
  name: 'load',
  onEvents(rows) {
    for (const [room, celsius] of rows) table.set(room, celsius)
  },
})

await (await connect(readings, toCelsius, load)).done
for (const [room, celsius] of table) console.log(`${room}: ${celsius} °C`)

// Prints:
// kitchen: 22 °C
// cellar: 10.5 °C
