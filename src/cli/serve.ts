// sluice serve: all pipelines of a folder in one process, supervised and shown on the dashboard.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { errnoOf, messageOf, SluiceError } from '../base/errors.ts'
import { keepingAlive } from '../base/keep-alive.ts'
import { many } from '../observe/text.ts'
import type { Params } from '../pipeline/param.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { broken } from './broken.ts'
import { openDashboard } from './dashboard-address.ts'
import { exitCodeOfSignal, OK } from './exit.ts'
import { type Io, logTo } from './io.ts'
import { loadIfAny } from './load.ts'
import { commandInvalid, type ServeOptions } from './options.ts'
import { Served } from './served.ts'
import { Signals, Stopped } from './signals.ts'

/** Runs `sluice serve` with its arguments; returns the exit code. It runs until it is told to stop. */
export async function serve(options: ServeOptions & { readonly file: string }, io: Io): Promise<number> {
  const log = logTo(io, options)
  const say = (message: string): void => log.info({}, message)
  const abort = new AbortController()
  const told = Promise.withResolvers<void>()
  const signals = new Signals({
    drainTimeoutMs: options.drainTimeoutMs,
    say,
    onDrain: (why) => say(`stopping: ${why}`),
    abort: (reason) => abort.abort(reason),
  })
  const { stopped } = signals
  try {
    const { found, unusable } = await Promise.race([pipelinesIn(options.file, say), stopped])
    for (const { file, why } of unusable) log.error({}, `${file} is left out: ${why}`)
    const pipelines = found.map(({ pipeline }) => pipeline)
    const params = paramsOf(pipelines, options.params, unusable.length > 0 ? (why) => log.warn({}, why) : undefined)
    const { threads, shard } = options
    await using stack = new AsyncDisposableStack()
    const dashboard = await openDashboard(options.dashboard, io.env)
    stack.defer(() => dashboard.close())
    const served = found.map(({ pipeline, module }) => {
      const onThreads = threads === undefined ? {} : { onThreads: { module, threads } }
      const own = params.get(pipeline.name) ?? new Map<string, string>()
      return new Served({ pipeline, params: own, shard, log, signal: abort.signal, ...onThreads })
    })
    for (const one of served) dashboard.watch(one)
    for (const { file, why } of unusable) dashboard.watch(broken(file, why, () => systemClock.wallMs()))
    signals.watch({
      progress: () => sumOf(served),
      drain: async (why) => {
        told.resolve()
        await Promise.allSettled(served.map(async (one) => await one.drain(why)))
      },
    })
    say(`${many(served.length, 'pipeline')} on the dashboard: ${dashboard.url}`)
    const all = Promise.all(served.map(async (one) => await one.serve()))
    // After all have ended, their results stay visible.
    await keepingAlive(Promise.race([Promise.all([all, told.promise]), stopped]))
    abort.signal.throwIfAborted()
    return signals.received === undefined || signals.received === 'SIGTERM' ? OK : exitCodeOfSignal(signals.received)
  } catch (error) {
    if (error instanceof Stopped) return error.exitCode
    throw error
  } finally {
    signals.release()
  }
}

/** A pipeline, and the module that exports it. */
interface Found {
  readonly pipeline: Pipeline<Params>
  readonly module: URL
}

/** A module that cannot be served; the others are. */
interface Unusable {
  readonly file: string
  readonly why: string
}

/**
 * The pipelines that modules of a folder export, and the modules that cannot be loaded.
 *
 * @throws {SluiceError} CONFIG_INVALID if no module of it exports a pipeline
 */
async function pipelinesIn(
  folder: string,
  say: (message: string) => void,
): Promise<{ readonly found: readonly Found[]; readonly unusable: readonly Unusable[] }> {
  const files = new Map<string, string>()
  const found: Found[] = []
  const bad: Unusable[] = []
  for (const name of modulesIn(folder)) {
    const file = join(folder, name)
    const loaded = await loadIfAny(file).catch((error: unknown) => {
      bad.push({ file, why: messageOf(error) })
    })
    if (loaded === undefined) continue
    if (loaded.kind === 'flow') {
      say(`${file} exports a flow, which is ignored: it has no checkpoint to continue from`)
      continue
    }
    const { pipeline, module } = loaded
    const other = files.get(pipeline.name)
    if (other !== undefined) {
      bad.push({ file, why: `${other} exports a pipeline ${pipeline.name}, too` })
      continue
    }
    files.set(pipeline.name, file)
    found.push({ pipeline, module })
  }
  if (found.length > 0) return { found, unusable: bad }
  const [first] = bad
  throw unusable(folder, `no module in it exports a pipeline${first === undefined ? '' : `; ${first.why}`}`)
}

function modulesIn(folder: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    const errno = errnoOf(error)
    const found = { ENOENT: 'there is no such folder', ENOTDIR: 'it is a file, and sluice run runs one' }[errno]
    throw unusable(folder, found ?? `it cannot be listed (${errno})`, error)
  }
  return names.filter((name) => /\.[cm]?[jt]s$/.test(name) && !/\.(d|test)\.[cm]?[jt]s$/.test(name)).sort()
}

/**
 * `orders.input=x` is the parameter `input` of the pipeline `orders`.
 *
 * @param onStrange - called with a parameter of an unknown pipeline, if that may be one that could not be loaded
 * @throws {SluiceError} COMMAND_INVALID for a parameter of an unknown pipeline
 */
function paramsOf(
  pipelines: readonly Pipeline<Params>[],
  given: ServeOptions['params'],
  onStrange: ((why: string) => void) | undefined,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const params = new Map<string, Map<string, string>>()
  for (const [key, value] of given) {
    const owner = pipelines.find(({ name }) => key.startsWith(`${name}.`))?.name
    if (owner === undefined) {
      const names = pipelines.map(({ name }) => name).join(', ')
      const message = `--param must name a pipeline, as in PIPELINE.${key}=…: found ${key}, and there is ${names}`
      if (onStrange === undefined) throw commandInvalid(key, message)
      onStrange(message)
      continue
    }
    const own = params.get(owner) ?? new Map<string, string>()
    params.set(owner, own.set(key.slice(owner.length + 1), value))
  }
  return params
}

function sumOf(served: readonly Served[]): ReturnType<Served['progress']> {
  let [read, committed] = [0, 0]
  for (const one of served) {
    const progress = one.progress()
    read += progress.read
    committed += progress.committed.read
  }
  return { read, committed: { read: committed } }
}

function unusable(folder: string, found: string, cause?: unknown): SluiceError {
  const details = { key: folder, value: undefined, allowed: 'a folder of modules that export pipelines' }
  return new SluiceError('CONFIG_INVALID', `Cannot serve ${folder}: ${found}`, details, { cause })
}
