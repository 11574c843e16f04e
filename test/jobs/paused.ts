// A program whose run is paused, with nothing else that keeps its process alive: a process for tests. SIGUSR2 resumes
// it, SIGTERM drains it, SIGHUP aborts it. Arguments: the source, its folder, and whether it is paused at once.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  fileSource,
  pipeline,
  type Source,
  sqliteSink,
  startPipeline,
  tailSource,
  textLines,
  ticksSource,
  valuesSource,
} from 'sluice'
import { LINES } from '../support/paused-lines.ts'

const [kind = '', folder = '', when = ''] = process.argv.slice(2)
const lines = join(folder, 'lines.log')

/** Waits, and keeps no process alive meanwhile. */
const idly = async (): Promise<void> => await sleep(1, undefined, { ref: false })

async function* waiting(): AsyncGenerator<string> {
  for (let n = 0; n < LINES; n += 1) {
    if (n % 500 === 0) await idly()
    yield `line ${n}`
  }
}

const SOURCES: Readonly<Record<string, () => Source<unknown>>> = {
  files: () => fileSource(lines, textLines()),
  tail: () => tailSource(lines, textLines(), { pollMs: 20 }),
  ticks: () => ticksSource(1),
  values: () => valuesSource(Array.from({ length: LINES }, (_, n) => `line ${n}`)),
  waiting: () => valuesSource(waiting),
}

const job = pipeline('paused', {
  from: SOURCES[kind] as () => Source<unknown>,
  flow: (events) => events.map((event) => ({ text: JSON.stringify(event) })),
  into: () => sqliteSink(join(folder, 'out.db'), { table: 'lines', columns: { text: 'text' } }),
})

const abort = new AbortController()
process.on('SIGHUP', () => abort.abort(new Error('aborted')))
const isAtOnce = when === 'at once'
const run = await startPipeline(job, {
  leaseMs: 300,
  epochEvents: 500,
  epochMs: 20,
  signal: abort.signal,
  onEvent: ({ kind: what }) => {
    if (what === 'committed' && !isAtOnce) queueMicrotask(pause)
    if (what === 'paused') process.stdout.write('paused\n')
  },
})
let isResumed = false
function pause(): void {
  if (!isResumed) run.pause()
}
process.on('SIGTERM', () => void run.drain('asked for').catch(() => {}))
process.on('SIGUSR2', () => {
  isResumed = true
  run.resume()
})
if (isAtOnce) pause()
try {
  process.stdout.write(`${(await run.done).outcome}\n`)
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`)
}
