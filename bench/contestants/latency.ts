// How long events wait from their arrival to their commit, at a steady rate. Arguments: target, epoch in ms, events a
// second, seconds. Prints percentiles of that wait, in milliseconds.

import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pipeline, sqliteSink, startPipeline, valuesSource } from 'sluice'

const [target = 'latency.db', epochMs = '1000', rate = '5000', seconds = '20'] = process.argv.slice(2)
for (const ending of ['', '-wal', '-shm']) rmSync(`${target}${ending}`, { force: true })
const EVERY_MS = 10
/** What comes before all is compiled and warm does not count. */
const WARM_S = 3

interface Event {
  readonly id: number
  readonly at: number
  readonly sensor: string
  readonly celsius: number
}

/** When each event came, by its number. */
const arrivals: number[] = []

async function* arriving(): AsyncGenerator<Event> {
  const startMs = performance.now()
  const total = Number(rate) * (Number(seconds) + WARM_S)
  while (arrivals.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * Number(rate)))
    while (arrivals.length < due) {
      const id = arrivals.length
      arrivals.push(performance.now())
      yield { id, at: Date.now(), sensor: `s${id % 200}`, celsius: 20 + (id % 50) / 10 }
    }
    await sleep(EVERY_MS)
  }
}

const job = pipeline('latency', {
  from: () => valuesSource(arriving),
  flow: (events) => events.map(({ celsius, ...event }) => ({ ...event, fahrenheit: (celsius * 9) / 5 + 32 })),
  into: () =>
    sqliteSink<{ id: number; at: number; sensor: string; fahrenheit: number }>(target, {
      table: 'readings',
      key: ['id'],
    }),
})

const waits: number[] = []
let committed = 0
const run = await startPipeline(job, {
  epochMs: Number(epochMs),
  onEvent: (event) => {
    if (event.kind !== 'committed') return
    const nowMs = performance.now()
    for (; committed < event.totals.loaded; committed += 1) waits.push(nowMs - (arrivals[committed] ?? nowMs))
  },
})
await run.done
const counted = waits.slice(Number(rate) * WARM_S).sort((a, b) => a - b)
const at = (share: number): number => Math.round((counted[Math.floor((counted.length - 1) * share)] ?? 0) * 10) / 10
console.log(JSON.stringify({ events: counted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1) }))
