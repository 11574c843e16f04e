// For each status and path of a web server's log: requests, bytes, the 99th percentile of their size, and the top clients.

import { accessLog, collect, count, fileSource, flow, quantile, sum, topK } from 'sluice'

const MiB = 1024 * 1024

const report = flow(
  fileSource(process.env.INPUT ?? `${import.meta.dirname}/data/web.log`, accessLog(), { splitBytes: 4 * MiB }),
)
  .keyBy('status', 'path')
  .aggregate({ requests: count(), bytes: sum('bytes'), p99: quantile('bytes', 0.99), clients: topK(2, 'host') })
  .sort('bytes', { order: 'descending' })

export default report

if (import.meta.main) {
  for (const { status, path, requests, bytes, clients } of await collect(report)) {
    const from = clients.map(({ value, count: times }) => `${value} (${times})`).join(', ')
    console.log(`${status} ${path}: ${requests} requests, ${bytes} bytes, from ${from}`)
  }
}

// Prints:
// 200 /a: 3 requests, 8192 bytes, from 10.0.0.1 (2), 10.0.0.2 (1)
// 200 /: 3 requests, 1536 bytes, from 10.0.0.1 (2), 10.0.0.2 (1)
// 404 /missing: 2 requests, 306 bytes, from 10.0.0.3 (2)
