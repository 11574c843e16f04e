// sluice run: starts a pipeline, shows it, stops it, and says how it ended.

import { systemClock } from '../base/clock.ts'
import { isSluiceError, messageOf } from '../base/errors.ts'
import { type Logger, lineLogger } from '../observe/log.ts'
import { redact } from '../observe/redact.ts'
import { bytesText } from '../observe/text.ts'
import type { RunReport } from '../pipeline/report.ts'
import { type PipelineRun, startPipeline } from '../pipeline/start.ts'
import { BUG, exitCodeOf, exitCodeOfSignal, OK } from './exit.ts'
import { pipelineHelp, quote } from './help.ts'
import type { Io } from './io.ts'
import { loadPipeline } from './load.ts'
import { type RunOptions, readOptions } from './options.ts'
import { Reporter, records } from './show/reporter.ts'
import { summaryText } from './show/summary.ts'
import { Signals } from './signals.ts'

/** Runs `sluice run` with its arguments; gives the exit code. */
export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  const options = readOptions('run', argv)
  const log = lineLogger({ format: options.log, write: (line) => io.stderr.write(line), wallMs: systemClock.wallMs })
  if (options.help) {
    io.stdout.write(pipelineHelp(options.file, await loadPipeline(options.file)))
    return OK
  }
  const reporter = new Reporter({ io, log, isQuiet: options.quiet, isJson: options.json })
  const abort = new AbortController()
  const signals = new Signals({
    drainTimeoutMs: options.drainTimeoutMs,
    say: (message) => reporter.say(message),
    abort: (reason) => abort.abort(reason),
  })
  const guard = guardAgainstSilence(log)
  let run: PipelineRun | undefined
  try {
    run = await start(options, reporter, abort.signal)
    signals.watch(run)
    reporter.watch(() => (run as PipelineRun).progress())
    const report = await run.done
    reporter.stop()
    return finish(report, signals, options, argv, io, reporter)
  } catch (error) {
    reporter.stop()
    return fail(error, run, signals, options, io, log)
  } finally {
    guard.release()
    signals.release()
  }
}

async function start(options: RunOptions, reporter: Reporter, signal: AbortSignal): Promise<PipelineRun> {
  const { file, params, maxDeadLetters, epochMs } = options
  const pipeline = await loadPipeline(file)
  return startPipeline(pipeline, {
    params,
    epochMs,
    signal,
    onEvent: (event) => reporter.onEvent(event),
    ...(maxDeadLetters === undefined ? {} : { maxDeadLetters }),
  })
}

function finish(
  report: RunReport,
  signals: Signals,
  options: RunOptions,
  argv: readonly string[],
  io: Io,
  reporter: Reporter,
): number {
  const isStopped = report.outcome === 'drained' && signals.received !== undefined
  const exitCode = isStopped && signals.received !== undefined ? exitCodeOfSignal(signals.received) : OK
  if (isStopped) {
    const reached = `${records(report.run.read)} (${bytesText(report.doneBytes)}) of this run, all committed`
    reporter.say(`stopped after ${reached}; go on with: sluice run ${argv.map(quote).join(' ')}`)
  }
  io.stdout.write(options.json ? `${JSON.stringify({ ...report, exitCode })}\n` : summaryText(report))
  return exitCode
}

function fail(
  error: unknown,
  run: PipelineRun | undefined,
  signals: Signals,
  options: RunOptions,
  io: Io,
  log: Logger,
): number {
  // A signal that ended the run has said so already; what was committed stands.
  const isStopped = signals.received !== undefined && !isSluiceError(error)
  const exitCode = isStopped && signals.received !== undefined ? exitCodeOfSignal(signals.received) : exitCodeOf(error)
  const committed = run?.progress().committed
  if (!isStopped) logFailure(error, exitCode, log)
  if (options.json) {
    const { code, details } = isSluiceError(error) ? error : { code: isStopped ? 'STOPPED' : 'BUG', details: {} }
    const failure = { code, message: redact(messageOf(error)), details }
    io.stdout.write(`${redact(JSON.stringify({ error: failure, overall: committed, exitCode }))}\n`)
  }
  return exitCode
}

/** One line that a person can act on; a bug comes with its stack. */
export function logFailure(error: unknown, exitCode: number, log: Logger): void {
  const code = isSluiceError(error) ? error.code : 'BUG'
  log.error({ code, exitCode }, `sluice: ${messageOf(error)}`)
  if (exitCode !== BUG || !(error instanceof Error)) return
  for (const line of (error.stack ?? '').split('\n').slice(1)) log.error({ code }, line)
  log.error(
    { code },
    'sluice: this is a bug in Sluice or in a part of the pipeline; what was committed stands, run again to go on',
  )
}

/** A run that is never settled would end the process with 0, as if it had done its work. */
function guardAgainstSilence(log: Logger): { readonly release: () => void } {
  const onSilence = (): void => {
    log.error(
      { code: 'BUG' },
      'sluice: the run ended without saying so (a bug); what was committed stands, run again to go on',
    )
    process.exit(BUG)
  }
  process.once('beforeExit', onSilence)
  return { release: () => process.off('beforeExit', onSilence) }
}
