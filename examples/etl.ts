// Extract, transform, load: three stages, wired by hand from the bottom up.
// Run: npm run -s example examples/etl.ts
import { DatabaseSync } from 'node:sqlite'
import { consumer, from, producerConsumer, subscribe } from 'sluice/stage'

type Order = { id: number; total: number }
const lines = ['{"id":1,"cents":1250}', '{"id":2,"cents":', '{"id":3,"cents":990}', '{"id":3,"cents":990}']
const database = new DatabaseSync(':memory:')
database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL)')
const upsert = database.prepare('INSERT OR REPLACE INTO orders VALUES (?, ?)')

const ingestor = from(lines) // opened once, resumed where it was, closed at the end
const transformer = producerConsumer<string, Order>({ onEvents: (batch) => batch.flatMap(parse) })
function parse(line: string): Order[] {
  try {
    const { id, cents } = JSON.parse(line)
    return [{ id, total: cents / 100 }]
  } catch {
    console.log(`left out: ${line}`)
    return []
  }
}

const loader = consumer<Order>({
  onEvents(orders) {
    database.exec('BEGIN') // one transaction for each batch; an order that comes twice is loaded once
    for (const { id, total } of orders) upsert.run(id, total)
    database.exec('COMMIT')
  },
})

subscribe(loader, transformer)
subscribe(transformer, ingestor)
await loader.done
for (const { id, total } of database.prepare('SELECT * FROM orders').all()) console.log(`order ${id}: ${total}`)
// Prints:
// left out: {"id":2,"cents":
// order 1: 12.5
// order 3: 9.9
