// sluice run of a flow: its events as lines of JSON, and a summary.

import { systemClock } from '../base/clock.ts'
import { run } from '../engine/collect.ts'
import { jsonLine } from '../observe/json.ts'
import { lineLogger } from '../observe/log.ts'
import { countText } from '../observe/text.ts'
import { OK, STOP_SIGNALS, type StopSignal } from './exit.ts'
import type { Io, Out } from './io.ts'
import { type RunOptions, refuseParams } from './options.ts'
import { Stopped } from './signals.ts'

/** Runs the flow of a module; gives the exit code. A signal ends it: a flow has nothing to commit. */
export async function runFlowCommand(module: URL, file: string, options: RunOptions, io: Io): Promise<number> {
  const { threads, params, quiet, log: format } = options
  refuseParams(file, params)
  const log = lineLogger({ format, write: (line) => io.stderr.write(line), wallMs: systemClock.wallMs })
  const abort = new AbortController()
  const stop = (signal: StopSignal): void => abort.abort(new Stopped(signal, `received ${signal}`))
  for (const signal of STOP_SIGNALS) process.on(signal, stop)
  const startMs = systemClock.nowMs()
  try {
    const { events, late, dead } = await run(module, {
      ...(threads === undefined ? {} : { threads }),
      signal: abort.signal,
      into: (batch) => write(io.stdout, batch.map((event) => jsonLine(event)).join('')),
    })
    const seconds = ((systemClock.nowMs() - startMs) / 1000).toFixed(2)
    const lost = [late > 0 ? `, ${countText(late)} late` : '', dead > 0 ? `, ${countText(dead)} refused` : ''].join('')
    if (!quiet) log.info({ events, late, dead }, `${countText(events)} events${lost} in ${seconds} s`)
    return OK
  } catch (error) {
    const reason: unknown = abort.signal.reason
    if (!(reason instanceof Stopped)) throw error
    log.info({ exitCode: reason.exitCode }, `stopped: ${reason.message}`)
    return reason.exitCode
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, stop)
  }
}

/** Writes, and waits where the reader is slower. */
async function write(out: Out, text: string): Promise<void> {
  if (out.write(text) !== false || out.once === undefined) return
  await new Promise<void>((resolve) => out.once?.('drain', resolve))
}
