// Reads files that were damaged at random, and tells what became of them. Arguments: seed, count, files.

import { readFileSync, writeFileSync } from 'node:fs'
import { parquetMetadata } from 'hyparquet'
import { isSluiceError, parquetSource } from 'sluice'
import { seeded } from './seed.ts'

const [seed, count, ...paths] = process.argv.slice(2)
const wrong: string[] = []
const fail = (what: string, thrown: unknown): void => void wrong.push(`${what}: ${(thrown as Error)?.stack ?? thrown}`)
// Nobody waits for what is thrown so: it is the end.
process.on('uncaughtException', (thrown) => {
  process.stderr.write(`uncaught: ${thrown.stack}`)
  process.exit(1)
})

/** One or a few kinds of damage, more often near the end, where the footer is. */
function damaged(original: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(original)
  const place = (): number => {
    const isFooter = random() < 0.6
    const at = isFooter
      ? bytes.length - 1 - Math.floor(random() * Math.min(bytes.length, 900))
      : random() * bytes.length
    return Math.max(0, Math.floor(at))
  }
  const changes = 1 + Math.floor(random() * 3)
  for (let change = 0; change < changes; change += 1) {
    const at = place()
    const length = 1 + Math.floor(random() * 8)
    const kind = random()
    if (kind < 0.45) bytes[at] = Math.floor(random() * 256)
    else if (kind < 0.65) bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8))
    else if (kind < 0.75) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, 0xff), bytes.subarray(at)])
    else if (kind < 0.83) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
    else if (kind < 0.9) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 40))])
    else if (kind < 0.95) bytes.fill(0xff, at, Math.min(bytes.length, at + length))
    else bytes = Buffer.from(bytes.subarray(0, at))
  }
  return bytes
}

/** Reads a file, and gives how many rows there were. */
async function rowsOf(path: string): Promise<number> {
  const source = parquetSource(path)
  let rows = 0
  for (const split of await source.splits()) {
    const reader = await source.open(split, undefined)
    try {
      for (let read = await reader.read(1000); read !== undefined; read = await reader.read(1000))
        rows += read.events.length + read.rejected.length
    } finally {
      await reader.close()
    }
  }
  return rows
}

/** Rows that the footer counts, as another reader finds it; undefined where that does not get so far. */
function countedBy(path: string): number | undefined {
  try {
    return Number(parquetMetadata(new Uint8Array(readFileSync(path)).buffer).num_rows)
  } catch {
    // It looks at what rows are not made of, too.
    return undefined
  }
}

let read = 0
let refused = 0
for (let number = 0; number < Number(count); number += 1) {
  const original = paths[number % paths.length] as string
  const path = `${original}.damaged`
  writeFileSync(path, damaged(readFileSync(original), seeded(`damage ${number}`, Number(seed))))
  try {
    const rows = await rowsOf(path)
    const counted = countedBy(path) ?? rows
    if (rows !== counted) fail(`${number} of ${original}`, `${rows} rows were read, the footer counts ${counted}`)
    read += 1
  } catch (thrown) {
    if (!isSluiceError(thrown, 'SOURCE_CORRUPT')) fail(`${number} of ${original}`, thrown)
    refused += 1
  }
}
const peakMb = process.resourceUsage().maxRSS / 1024
process.stdout.write(JSON.stringify({ read, refused, wrong: wrong.slice(0, 5), peakMb }))
