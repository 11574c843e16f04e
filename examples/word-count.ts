// Counts words. On all cores: INPUT='books/*.txt' npx sluice run word-count.ts --threads 4

import { collect, count, flow, lines } from 'sluice'

const counts = flow(lines(process.env.INPUT ?? `${import.meta.dirname}/data/book.txt`, { rows: true }))
  .derive('word', ['text'], (text) => text.toLowerCase())
  .split('word', /\W+/)
  .keyBy('word')
  .aggregate({ n: count() })
  .sort('word')
  .top(3, 'n')

export default counts

if (import.meta.main) for (const { word, n } of await collect(counts)) console.log(`${word} ${n}`)

// Prints:
// data 3
// gate 3
// is 3
