// Sessions of each client of a web server: requests with less than half an hour between them.

import { accessLog, collect, count, fileSource, first, flow, session } from 'sluice'

const sessions = flow(fileSource(process.env.INPUT ?? `${import.meta.dirname}/data/web.log`, accessLog()))
  .keyBy('host')
  .window(session('30m', 'time', { outOfOrderness: '1m' }))
  .aggregate({ requests: count(), entry: first('path') })

export default sessions

if (import.meta.main) {
  for (const { host, windowStart, requests, entry } of await collect(sessions)) {
    console.log(
      `${host} from ${new Date(windowStart).toISOString().slice(11, 19)}: ${requests} requests, first ${entry}`,
    )
  }
}

// Prints:
// 10.0.0.2 from 10:00:05: 1 requests, first /a
// 10.0.0.3 from 10:10:00: 1 requests, first /missing
// 10.0.0.1 from 10:00:00: 3 requests, first /
// 10.0.0.2 from 10:50:00: 1 requests, first /
// 10.0.0.1 from 11:30:00: 1 requests, first /a
// 10.0.0.3 from 11:31:00: 1 requests, first /missing
