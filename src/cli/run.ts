// sluice run: starts a pipeline, shows it, stops it, and reports how it ended.

import { definedOf } from '../base/options.ts'
import { StoredState } from '../dashboard/stored-state.ts'
import { type WatchedRun, watchedRun } from '../dashboard/watched.ts'
import { jsonLine } from '../observe/json.ts'
import type { Logger } from '../observe/log.ts'
import { bytesText, many } from '../observe/text.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { RunReport } from '../pipeline/report.ts'
import { type PipelineRun, startPipeline } from '../pipeline/start.ts'
import { openDashboard } from './dashboard-address.ts'
import { useEnvFiles } from './env-files.ts'
import { exitCodeOfSignal, OK } from './exit.ts'
import { tellFailure } from './failure.ts'
import { pipelineHelp, quote, runHelp } from './help.ts'
import { type Io, isLively, logTo } from './io.ts'
import { load } from './load.ts'
import { type OnEngine, type RunOptions, readRunOptions, refuseEngine } from './options.ts'
import { runFlowCommand } from './run-flow.ts'
import { runOnEngine } from './run-on.ts'
import { Reporter } from './show/reporter.ts'
import { withShared } from './show/shards.ts'
import { summaryText } from './show/summary.ts'
import { Top } from './show/top.ts'
import { Signals, Stopped } from './signals.ts'

/** How a run is displayed while it is running, as in `sluice top`. */
export interface RunView {
  /** Between two snapshots, in clock milliseconds. */
  readonly everyMs: number | undefined
}

/**
 * Runs `sluice run` with its arguments; returns the exit code.
 *
 * @param again - the words after `sluice` that continue the run, if it is stopped
 */
export async function runCommand(
  argv: readonly string[],
  io: Io,
  view?: RunView,
  again: readonly string[] = ['run', ...argv],
): Promise<number> {
  const options = readRunOptions(argv)
  const { file, help } = options
  if (file === undefined) {
    io.stdout.write(runHelp())
    return OK
  }
  useEnvFiles(options.envFiles)
  if (!help) return await new RunCommand(options, file, again, io, view).run()
  const loaded = await load(file)
  io.stdout.write(loaded.kind === 'pipeline' ? pipelineHelp(file, loaded.pipeline) : runHelp())
  return OK
}

/** One `sluice run` from its start to its exit code. */
class RunCommand {
  readonly #options: RunOptions
  readonly #file: string
  readonly #again: readonly string[]
  readonly #io: Io
  readonly #reporter: Reporter
  readonly #signals: Signals
  readonly #abort = new AbortController()
  readonly #view: RunView | undefined
  /** Where the run itself logs what happens. */
  readonly #runLog: Logger | undefined
  /** The run, once it has started. */
  #run: PipelineRun | undefined

  constructor(options: RunOptions, file: string, again: readonly string[], io: Io, view: RunView | undefined) {
    this.#view = view
    this.#options = options
    this.#file = file
    this.#again = again
    this.#io = io
    const { quiet, json } = options
    const log = logTo(io, options)
    const isText = options.log === 'text'
    const isLogged = !isText && !quiet
    this.#reporter = new Reporter({ io, log, isQuiet: quiet || view !== undefined, isLive: !json && isText, isLogged })
    // A failure is printed once, with its exit code.
    if (isLogged) this.#runLog = { ...log, child: (fields) => ({ ...log.child(fields), error: () => {} }) }
    this.#signals = new Signals({
      drainTimeoutMs: options.drainTimeoutMs,
      say: (message) => this.#reporter.say(message),
      onDrain: (why) => this.#reporter.draining(why),
      abort: (reason) => this.#abort.abort(reason),
    })
  }

  async run(): Promise<number> {
    try {
      const { stopped } = this.#signals
      const loaded = await Promise.race([load(this.#file), stopped])
      if (loaded.kind === 'flow' && this.#options.on !== undefined) refuseEngine(this.#file)
      if (loaded.kind === 'flow') return await this.#flow(loaded.module)
      const { threads, on } = this.#options
      if (on !== undefined) return await Promise.race([this.#onEngine(on, loaded.module), stopped])
      const given = threads === undefined ? loaded.pipeline : loaded.module
      const report = await Promise.race([this.#shown(given, loaded.pipeline), stopped])
      this.#reporter.stop()
      return this.#finished(report)
    } catch (error) {
      this.#reporter.stop()
      return this.#failed(error)
    } finally {
      this.#signals.release()
    }
  }

  async #onEngine(on: OnEngine, module: URL): Promise<number> {
    const running = { options: this.#options, io: this.#io, reporter: this.#reporter, signals: this.#signals }
    const exitCode = await runOnEngine({ on, module, ...running, abort: this.#abort })
    this.#reporter.stop()
    return exitCode
  }

  /** Flows have no checkpoint to continue from: their signals are handled elsewhere. */
  async #flow(module: URL): Promise<number> {
    this.#signals.release()
    return await runFlowCommand(module, this.#file, this.#options, this.#io)
  }

  /** The run on its dashboard, if one is requested: open before the run starts, and until it has ended. */
  async #shown(given: Pipeline | URL, pipeline: Pipeline): Promise<RunReport> {
    const { dashboard: address, params } = this.#options
    if (address === undefined) return await this.#load(given, pipeline)
    const dashboard = await openDashboard(address, this.#io.env)
    try {
      this.#reporter.say(`dashboard: ${dashboard.url}`)
      return await this.#load(given, pipeline, (run) => dashboard.watch(watchedRun(run, pipeline, params)))
    } finally {
      await dashboard.close()
    }
  }

  async #load(
    given: Pipeline | URL,
    pipeline: Pipeline,
    onStarted: (run: PipelineRun) => void = () => {},
  ): Promise<RunReport> {
    const { params, maxDeadLetters, epochMs, threads, shard } = this.#options
    const run = await startPipeline(given, {
      ...definedOf({ threads, shard, epochMs, maxDeadLetters, log: this.#runLog }),
      params,
      signal: this.#abort.signal,
      onEvent: (event) => this.#reporter.onEvent(event),
    })
    this.#run = run
    this.#signals.watch(run)
    onStarted(run)
    if (this.#view !== undefined) return await this.#viewed(run, watchedRun(run, pipeline, params), this.#view)
    this.#reporter.watch(() => run.progress())
    return await run.done
  }

  /** Draws the run while it is running, on a terminal or at the requested interval; and its final state. */
  async #viewed(run: PipelineRun, watched: WatchedRun, { everyMs }: RunView): Promise<RunReport> {
    const over = new AbortController()
    const stored = new StoredState()
    const askRun = async () => [run.snapshot()]
    const askStore = async () => ({ checkpoints: [await stored.checkpoint(watched)] })
    let look = withShared(askRun, askStore)
    const top = new Top(look, { once: false, everyMs }, this.#io)
    const isShown = everyMs !== undefined || isLively(this.#io.stdout, this.#io.env)
    const shown = isShown ? top.show(over.signal) : undefined
    try {
      const report = await run.done
      // What is stored has changed since.
      look = withShared(askRun, askStore)
      return report
    } finally {
      over.abort()
      await shown
      if (!this.#options.json) top.showLast(await look(over.signal))
    }
  }

  #finished(report: RunReport): number {
    const signal = report.outcome === 'drained' ? this.#signals.received : undefined
    // An unbounded run is complete when it is told to stop.
    const isDone = signal === undefined || (report.isUnbounded && signal === 'SIGTERM')
    const exitCode = isDone ? OK : exitCodeOfSignal(signal)
    if (signal !== undefined) this.#reporter.say(`stopped ${this.#reached(report)}, all committed; ${this.#goOn()}`)
    const { json } = this.#options
    // If rows went to standard output, nothing else does.
    const out = report.sinkKind === 'stdout' ? this.#io.stderr : this.#io.stdout
    out.write(json ? jsonLine({ ...report, exitCode }) : summaryText(report, this.#reporter))
    return exitCode
  }

  #failed(error: unknown): number {
    const reason: unknown = this.#abort.signal.reason
    const failure = reason instanceof Stopped && isOf(error, reason) ? reason : error
    const committed = this.#run?.progress().committed
    if (failure instanceof Stopped && committed !== undefined) {
      this.#reporter.say(`stopped, ${many(committed.read, 'record')} committed in all runs; ${this.#goOn()}`)
    }
    const { log } = this.#reporter
    return tellFailure(failure, { io: this.#io, log, isJson: this.#options.json, committed })
  }

  /** How far a stopped run came: `after 12 records (3.4 kB of 1.0 MB), the last in logs/a.log`. */
  #reached({ run, doneBytes }: RunReport): string {
    const totalBytes = this.#run?.progress().totalBytes
    const of = totalBytes === undefined ? '' : ` of ${bytesText(totalBytes)}`
    const bytes = totalBytes === undefined && doneBytes === 0 ? '' : ` (${bytesText(doneBytes)}${of})`
    const { lastSplit } = this.#reporter
    return `after ${many(run.read, 'record')}${bytes}${lastSplit === undefined ? '' : `, the last in ${lastSplit}`}`
  }

  #goOn(): string {
    // In a checkout there is no such command: npm runs it, and its environment says so.
    const command = this.#io.env.npm_lifecycle_event === 'sluice' ? 'npm run -s sluice --' : 'sluice'
    return `continue with: ${command} ${this.#again.map(quote).join(' ')}`
  }
}

/** Whether an error only says that the run was aborted for `reason`. */
function isOf(error: unknown, reason: Stopped): boolean {
  if (error === reason) return true
  return error instanceof Error && (error.cause === reason || error.name === 'AbortError')
}
