// Counts words. On all cores: INPUT='books/*.txt' npx sluice run word-count.ts --threads 4

import { collect, count, flow, lines } from 'sluice'

const counts = flow(lines(process.env.INPUT ?? `${import.meta.dirname}/data/book.txt`))
  .flatMap((line) => line.toLowerCase().match(/\w+/g) ?? [])
  .keyBy((word) => word)
  .aggregate({ n: count() })

export default counts

if (import.meta.main) {
  const found = await collect(counts)
  for (const { key, n } of found.sort((a, b) => b.n - a.n || (a.key < b.key ? -1 : 1)).slice(0, 3)) {
    console.log(`${key} ${n}`)
  }
}

// Prints:
// data 3
// gate 3
// is 3
