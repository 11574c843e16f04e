// sluice run FILE --on HOST:PORT: runs a pipeline on an engine, and reports what became of its records.

import { jsonLine } from '../observe/json.ts'
import { durationText } from '../observe/text.ts'
import { OK } from './exit.ts'
import type { Io } from './io.ts'
import type { OnEngine, RunOptions } from './options.ts'
import type { Reporter } from './show/reporter.ts'
import { summaryText } from './show/summary.ts'
import { type Signals, Stopped } from './signals.ts'

export interface RunOnEngine {
  readonly on: OnEngine
  readonly module: URL
  readonly options: RunOptions
  readonly io: Io
  readonly reporter: Reporter
  readonly signals: Signals
  readonly abort: AbortController
}

/** Returns the exit code. A signal asks the engine to cancel the job. */
export async function runOnEngine({ on, module, options, io, reporter, signals, abort }: RunOnEngine): Promise<number> {
  // Loaded on demand: runs in this process start sooner.
  const [{ beam }, { run }] = await Promise.all([import('../beam/submit/engine.ts'), import('../beam/submit/run.ts')])
  signals.watch({
    drain: async (why) => {
      abort.abort(new Stopped(signals.received ?? 'SIGINT', `stopping: ${why}`))
      reporter.say(`${on.address} is asked to cancel the job; see there whether it has ended: not every engine obeys`)
    },
  })
  const { params, maxDeadLetters, json, quiet } = options
  const { workerPool, options: engineOptions } = on
  if (!quiet) reporter.say(`running on ${on.address}; what became of the records is told at the end`)
  const report = await run(module, {
    on: beam(on.address, { engineOptions, ...(workerPool === undefined ? {} : { workerPool }) }),
    params,
    ...(maxDeadLetters === undefined ? {} : { maxDeadLetters }),
    onNote: (note) => reporter.onEvent({ kind: 'noted', split: on.address, note }),
    signal: abort.signal,
  })
  if (json) io.stdout.write(jsonLine({ ...report, exitCode: OK }))
  else if (report.run === undefined) {
    const took = durationText(report.elapsedMs)
    io.stdout.write(
      `${report.pipeline}: finished in ${took}, written to ${report.sink}\n\n  The engine does not tell what became of the records.\n`,
    )
  } else {
    const { run: totals } = report
    const all = {
      doneBytes: 0,
      overall: totals,
      epoch: 0,
      splits: { all: 0, unchanged: 0 },
      top: {},
      isUnbounded: false,
    }
    io.stdout.write(summaryText({ ...all, ...report, run: totals }))
  }
  return OK
}
