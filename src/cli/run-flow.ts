// sluice run of a flow: its events as lines of JSON, and a summary.

import { systemClock } from '../base/clock.ts'
import { messageOf, SluiceError } from '../base/errors.ts'
import { start } from '../engine/collect.ts'
import type { FailedCall } from '../engine/rejection-log.ts'
import { dataLine } from '../observe/json.ts'
import { countText } from '../observe/text.ts'
import { exitCodeOfSignal, OK } from './exit.ts'
import { type Io, logTo, put } from './io.ts'
import { commandInvalid, type RunOptions, refuseParams } from './options.ts'
import { Signals, Stopped } from './signals.ts'

/**
 * Runs the flow of a module; returns the exit code. A first signal closes its sources and lets everything through; a
 * second one, or the drain timeout, ends it at once.
 */
export async function runFlowCommand(module: URL, file: string, options: RunOptions, io: Io): Promise<number> {
  const { threads, params, quiet, drainTimeoutMs, shard, dashboard } = options
  refuseParams(file, params)
  const refuse = (option: string, why: string): never => {
    throw commandInvalid(option, `${file} exports a flow, and ${option} ${why}`)
  }
  if (shard !== undefined) refuse('--shard', 'is for copies of a pipeline')
  if (dashboard !== undefined) refuse('--dashboard', 'shows runs of pipelines')
  const log = logTo(io, options)
  const abort = new AbortController()
  const signals = new Signals({
    drainTimeoutMs,
    say: (message) => log.info({}, message),
    onDrain: (why) => log.info({}, `draining: ${why}`),
    abort: (reason) => abort.abort(reason),
  })
  const startMs = systemClock.nowMs()
  try {
    const starting = start(module, {
      ...(threads === undefined ? {} : { threads }),
      signal: abort.signal,
      into: (batch) => put(io.stdout, batch.map((event) => dataLine(event)).join('')),
    })
    const running = await Promise.race([starting, signals.stopped])
    signals.watch(running)
    const done = running.done.catch((error: unknown) => {
      throw running.failedCall === undefined || abort.signal.aborted ? error : failureOf(error, running.failedCall)
    })
    const { events, late, dead } = await Promise.race([done, signals.stopped])
    const seconds = ((systemClock.nowMs() - startMs) / 1000).toFixed(2)
    const lost = [late > 0 ? `, ${countText(late)} late` : '', dead > 0 ? `, ${countText(dead)} refused` : ''].join('')
    if (!quiet) log.info({ events, late, dead }, `${countText(events)} events${lost} in ${seconds} s`)
    const { received } = signals
    if (received === undefined) return OK
    const exitCode = exitCodeOfSignal(received)
    log.info({ exitCode }, `stopped: received ${received}`)
    return exitCode
  } catch (error) {
    const reason: unknown = abort.signal.reason
    if (!(reason instanceof Stopped)) throw error
    log.info({ exitCode: reason.exitCode }, `stopped: ${reason.message}`)
    return reason.exitCode
  } finally {
    signals.release()
  }
}

/** The error of a user function, with the operator, the event, and the place in the user's code. */
function failureOf(error: unknown, { operator, event = 'unknown' }: FailedCall): SluiceError {
  const at = event === 'unknown' ? '' : ` at ${event}`
  const [, place] = /\(?(file:[^\s)]+)/.exec(error instanceof Error ? (error.stack ?? '') : '') ?? []
  const where = place === undefined ? '' : ` (${place})`
  const message = `Cannot continue: ${operator} failed${at}: ${messageOf(error)}${where}`
  return new SluiceError('OPERATOR_FAILED', message, { operator, event }, { cause: error })
}
