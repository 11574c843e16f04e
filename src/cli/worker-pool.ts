// sluice worker-pool: starts workers beside an engine, for runs with --on.

import { once } from 'node:events'
import { workerPoolHelp } from './admin-help.ts'
import { exitCodeOfSignal, OK, STOP_SIGNALS, type StopSignal } from './exit.ts'
import type { Io } from './io.ts'
import { readWorkerPoolOptions } from './options.ts'

/** Runs `sluice worker-pool` with its arguments, until a signal ends it; returns the exit code. */
export async function workerPool(argv: readonly string[], io: Io): Promise<number> {
  const { help, ...options } = readWorkerPoolOptions(argv)
  if (help) {
    io.stdout.write(workerPoolHelp())
    return OK
  }
  const { openPool } = await import('../beam/submit/pool.ts')
  const say = (line: string): void => void io.stderr.write(`sluice: ${line}\n`)
  await using pool = await openPool({ ...options, onNote: say })
  say(`worker pool at ${options.host}:${pool.port}, for modules below ${options.root}`)
  const received = await firstOf(STOP_SIGNALS)
  return received === 'SIGTERM' ? OK : exitCodeOfSignal(received)
}

async function firstOf(signals: readonly StopSignal[]): Promise<StopSignal> {
  const stop = new AbortController()
  const waits = signals.map(async (signal) => {
    await once(process, signal, { signal: stop.signal })
    return signal
  })
  for (const wait of waits) wait.catch(() => {}) // Called off by the first.
  const first = await Promise.race(waits)
  stop.abort()
  return first
}
