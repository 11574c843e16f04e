// Loads an access log by the pipeline of load-job.ts. Arguments: log, store, target, keyed, threads,
// epoch in ms (as the store likes best by default), job.

import { rmSync } from 'node:fs'
import { startPipeline } from 'sluice'
import { report, takenSoFar } from './measure.ts'
import { storeAnswer } from './store-answer.ts'

const [input = '', store = '', target = '', keyed = '', threads = '0', epochMs = '', job = 'default'] =
  process.argv.slice(2)
if (store !== 'postgres')
  for (const ending of ['', '-wal', '-shm', '.wal']) rmSync(`${target}${ending}`, { force: true })

const startMs = performance.now()
const run = await startPipeline(new URL('./load-job.ts', import.meta.url), {
  params: new Map(Object.entries({ input, store, target, keyed })),
  name: job,
  ...(epochMs === '' ? {} : { epochMs: Number(epochMs) }),
  ...(Number(epochMs) > 3_600_000 ? { epochEvents: Number.MAX_SAFE_INTEGER } : {}),
  ...(threads === '0' ? {} : { threads: Number(threads) }),
})
await run.done
const seconds = (performance.now() - startMs) / 1000
const taken = takenSoFar()
report(seconds, await storeAnswer(store, target, job === 'default' ? 'requests' : job), taken)
