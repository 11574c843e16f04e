// Reads a Parquet file, and tells its rows and how many MB that took beyond what the process had. Argument: the file.

import { parquetSource } from 'sluice'

const peakMb = (): number => process.resourceUsage().maxRSS / 1024
const source = parquetSource(process.argv[2] as string)
const splits = await source.splits()
const before = peakMb()
let rows = 0
for (const split of splits) {
  const reader = await source.open(split, undefined)
  for (let read = await reader.read(1000); read !== undefined; read = await reader.read(1000))
    rows += read.events.length + read.rejected.length
  await reader.close()
}
process.stdout.write(JSON.stringify({ rows, mb: peakMb() - before }))
