// The options of the commands: read from the command line, rejected with the reason and a suggestion.

import { resolve } from 'node:path'
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { messageOf, SluiceError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { MOST_SHARDS, readShard, type Shard } from '../connect/shard.ts'
import { MOST_THREADS } from '../engine/options.ts'
import { LEVELS, type Level } from '../observe/log.ts'
import type { MaxDeadLetters } from '../pipeline/dead-letter-limit.ts'
import { type DashboardAddress, readDashboardAddress, withBareDashboard } from './dashboard-address.ts'

/** Options of every command that takes a pipeline. */
export interface FileOptions {
  /** The module; undefined only if `help` is requested without one. */
  readonly file: string | undefined
  readonly params: ReadonlyMap<string, string>
  /** Files of environment variables; `.env` if none is named. */
  readonly envFiles: readonly string[]
  readonly help: boolean
}

/** Options of a run. */
export interface RunOptions extends FileOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly log: 'text' | 'json'
  readonly logLevel: Level
  readonly maxDeadLetters: MaxDeadLetters | undefined
  readonly epochMs: number | undefined
  readonly drainTimeoutMs: number
  /** Worker threads, for flows; undefined: as many as help. */
  readonly threads: number | undefined
  /** Which of several copies it is; undefined: the only one. */
  readonly shard: Shard | undefined
  /** Where its dashboard is; undefined: nowhere. */
  readonly dashboard: DashboardAddress | undefined
  /** The engine that it runs on; undefined: this process. */
  readonly on: OnEngine | undefined
}

/** An engine, as given on the command line. */
export interface OnEngine {
  /** Its job endpoint. */
  readonly address: string
  readonly workerPool: string | undefined
  readonly options: Readonly<Record<string, string | number | boolean>>
}

/** Options of `sluice serve`. */
export interface ServeOptions extends FileOptions, Pick<RunOptions, 'log' | 'logLevel' | 'threads' | 'shard'> {
  readonly drainTimeoutMs: number
  readonly dashboard: DashboardAddress
}

export const FILE_OPTIONS: {
  readonly param: { readonly type: 'string'; readonly multiple: true; readonly short: 'p' }
  readonly 'env-file': { readonly type: 'string'; readonly multiple: true }
  readonly help: { readonly type: 'boolean'; readonly short: 'h' }
} = {
  param: { type: 'string', multiple: true, short: 'p' },
  'env-file': { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
}

const RUN_OPTIONS = {
  ...FILE_OPTIONS,
  json: { type: 'boolean' },
  strict: { type: 'boolean' },
  'max-dead-letters': { type: 'string' },
  'epoch-ms': { type: 'string' },
  'drain-timeout': { type: 'string' },
  threads: { type: 'string', short: 't' },
  shard: { type: 'string' },
  log: { type: 'string' },
  'log-level': { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
  dashboard: { type: 'string' },
  on: { type: 'string' },
  'worker-pool': { type: 'string' },
  'engine-option': { type: 'string', multiple: true },
} as const

const SERVE_OPTIONS = {
  ...FILE_OPTIONS,
  threads: RUN_OPTIONS.threads,
  shard: RUN_OPTIONS.shard,
  'drain-timeout': RUN_OPTIONS['drain-timeout'],
  log: RUN_OPTIONS.log,
  'log-level': RUN_OPTIONS['log-level'],
  dashboard: RUN_OPTIONS.dashboard,
} as const

/** The longest wait of a Node timer, in clock milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readRunOptions(argv: readonly string[]): RunOptions {
  const { values, positionals } = parse('run', withBareDashboard(argv), RUN_OPTIONS)
  const { strict, dashboard } = values
  const limit = values['max-dead-letters']
  if (strict === true && limit !== undefined) {
    throw commandInvalid('--strict', '--strict allows no dead letter and --max-dead-letters some: give one of them')
  }
  return {
    ...fileOptions('run', positionals, values),
    json: values.json ?? false,
    quiet: values.quiet ?? false,
    ...readLog(values),
    maxDeadLetters: strict === true ? { count: 0 } : limit === undefined ? undefined : readLimit(limit),
    epochMs:
      values['epoch-ms'] === undefined ? undefined : readMs('--epoch-ms', values['epoch-ms'], { min: 1, unitMs: 1 }),
    threads: readThreads(values.threads),
    shard: readShardOption(values.shard),
    drainTimeoutMs: readDrainTimeout(values['drain-timeout']),
    dashboard: dashboard === undefined ? undefined : readDashboardAddress(dashboard),
    on: readOn(values),
  }
}

/** What an engine decides itself, or this command does not do there. */
const NOT_ON_ENGINE = ['threads', 'shard', 'dashboard', 'epoch-ms'] as const

function readOn(values: {
  readonly on?: string
  readonly 'worker-pool'?: string
  readonly 'engine-option'?: readonly string[]
  readonly threads?: string
  readonly shard?: string
  readonly dashboard?: string
  readonly 'epoch-ms'?: string
}): OnEngine | undefined {
  const { on: address, 'worker-pool': workerPool, 'engine-option': pairs = [] } = values
  if (address === undefined) {
    const alone = workerPool === undefined ? pairs[0] : '--worker-pool'
    if (alone !== undefined) throw commandInvalid(alone, `${alone} is about an engine: give --on HOST:PORT as well`)
    return undefined
  }
  const other = NOT_ON_ENGINE.find((name) => values[name] !== undefined)
  if (other !== undefined)
    throw commandInvalid(`--${other}`, `--${other} is about a run in this process: leave out --on, or it`)
  return {
    address: readAddress('--on', address),
    workerPool: workerPool === undefined ? undefined : readAddress('--worker-pool', workerPool),
    options: Object.fromEntries(pairs.map(readEngineOption)),
  }
}

function readAddress(name: string, text: string): string {
  if (/^(?:[\w.-]+|\[[\da-f:]+\]):\d{1,5}$/i.test(text)) return text
  throw commandInvalid(text, `${name} takes HOST:PORT: found ${text}`)
}

/** A number or a truth value, where it is written like one. */
function readEngineOption(pair: string): readonly [string, string | number | boolean] {
  const [, name, text] = /^(\w+)=(.*)$/s.exec(pair) ?? []
  if (name === undefined || text === undefined)
    throw commandInvalid('--engine-option', `--engine-option takes NAME=VALUE: found ${pair}`)
  if (text === 'true' || text === 'false') return [name, text === 'true']
  return [name, text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text]
}

/** Options of `sluice worker-pool`. */
export interface WorkerPoolOptions {
  readonly host: string
  readonly port: number
  /** Modules below this folder can be run, and no others. */
  readonly root: string
  readonly heapMb: number | undefined
  readonly help: boolean
}

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readWorkerPoolOptions(argv: readonly string[]): WorkerPoolOptions {
  const known = { host: { type: 'string' }, port: { type: 'string' }, root: { type: 'string' } } as const
  const options = { ...known, 'heap-mb': { type: 'string' }, help: FILE_OPTIONS.help } as const
  const { values, positionals } = parse('worker-pool', argv, options)
  const [extra] = positionals
  if (extra !== undefined) throw commandInvalid(extra, `sluice worker-pool takes options only: found ${extra}`)
  const { host = '127.0.0.1', root = '.', help = false } = values
  if (values.port === undefined && !help)
    throw commandInvalid('--port', 'sluice worker-pool needs a port: --port 50000')
  const heap = values['heap-mb']
  return {
    host,
    port: readWhole('--port', values.port ?? '0', 65_535),
    root: resolve(root),
    heapMb: heap === undefined ? undefined : readWhole('--heap-mb', heap, 1_000_000),
    help,
  }
}

function readWhole(name: string, text: string, max: number): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= max) return value
  throw commandInvalid(text, `${name} must be a whole number up to ${max}: found ${text}`)
}

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readServeOptions(argv: readonly string[]): ServeOptions {
  const { values, positionals } = parse('serve', withBareDashboard(argv), SERVE_OPTIONS)
  const [folder, extra] = positionals
  const { help = false } = values
  if (folder === undefined && !help) throw commandInvalid('serve', 'sluice serve needs a folder: sluice serve DIR')
  if (extra !== undefined) throw commandInvalid(extra, `sluice serve takes one folder: found ${folder} and ${extra}`)
  return {
    ...fileOptions('serve', positionals, values),
    ...readLog(values),
    threads: readThreads(values.threads),
    shard: readShardOption(values.shard),
    drainTimeoutMs: readDrainTimeout(values['drain-timeout']),
    dashboard: readDashboardAddress(values.dashboard ?? ''),
  }
}

function readLog(values: {
  readonly log?: string
  readonly 'log-level'?: string
}): Pick<RunOptions, 'log' | 'logLevel'> {
  const { log = 'text', 'log-level': level = 'info' } = values
  return { log: oneOf('--log', log, ['text', 'json']), logLevel: oneOf('--log-level', level, LEVELS) }
}

function readDrainTimeout(text = '30'): number {
  return readMs('--drain-timeout', text, { min: 0, unitMs: 1000 })
}

/** Options of `sluice explain`. */
export interface ExplainOptions extends FileOptions {
  readonly threads: number | undefined
  /** Whether it tells how an engine would run it; no engine is asked. */
  readonly isOnEngine: boolean
}

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readExplainOptions(command: 'explain' | 'graph', argv: readonly string[]): ExplainOptions {
  const known = { ...FILE_OPTIONS, threads: RUN_OPTIONS.threads, on: { type: 'boolean' } } as const
  const { values, positionals } = parse(command, argv, known)
  const { on: isOnEngine = false, threads } = values
  if (isOnEngine && (command === 'graph' || threads !== undefined)) {
    throw commandInvalid('--on', 'sluice explain FILE --on tells it in words, without --threads')
  }
  return { ...fileOptions(command, positionals, values), threads: readThreads(threads), isOnEngine }
}

type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ readonly options: Options; readonly allowPositionals: true }>
>

export function parse<const Options extends ParseArgsOptionsConfig>(
  command: string,
  argv: readonly string[],
  options: Options,
): Parsed<Options> {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    const [message = ''] = messageOf(error).split('\n')
    const unknown = /'(?:-\w, )?(--?[^' ]+)/.exec(message)?.[1]
    if (unknown !== undefined && / argument (missing|is ambiguous)/.test(message)) {
      throw commandInvalid(unknown, `${unknown} needs a value; one that begins with - is given as ${unknown}=VALUE`)
    }
    if ((error as NodeJS.ErrnoException).code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION' || unknown === undefined) {
      throw commandInvalid(unknown ?? command, `sluice ${command}: ${message}`)
    }
    const meant = nearest(unknown.replace(/^-+/, ''), Object.keys(options))
    const hint = meant === undefined ? `see sluice help ${command}` : `did you mean --${meant}?`
    throw commandInvalid(unknown, `sluice ${command} has no option ${unknown}: ${hint}`)
  }
}

export function fileOptions(
  command: string,
  [file, extra]: readonly string[],
  values: { readonly param?: readonly string[]; readonly 'env-file'?: readonly string[]; readonly help?: boolean },
): FileOptions {
  const { param = [], 'env-file': envFiles = [], help = false } = values
  if (file === undefined && !help)
    throw commandInvalid(command, `sluice ${command} needs a file: sluice ${command} FILE`)
  if (extra !== undefined) throw commandInvalid(extra, `sluice ${command} takes one file: found ${file} and ${extra}`)
  return { file, params: readParamPairs(param), envFiles, help }
}

function readParamPairs(pairs: readonly string[]): ReadonlyMap<string, string> {
  const params = new Map<string, string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1)
      throw commandInvalid('--param', `--param must be name=value: found ${at === 0 ? 'no name before =' : pair}`)
    const name = pair.slice(0, at)
    if (params.has(name)) throw commandInvalid(name, `--param ${name} is given twice`)
    params.set(name, pair.slice(at + 1))
  }
  return params
}

/** A flow has none: its module decides everything. @throws {SluiceError} COMMAND_INVALID if any are given */
export function refuseParams(file: string, params: ReadonlyMap<string, string>): void {
  const [name] = params.keys()
  if (name === undefined) return
  throw commandInvalid(name, `${file} exports a flow, which has no parameters: found --param ${name}`)
}

/** Results of a flow go to whoever runs it. @throws {SluiceError} COMMAND_INVALID */
export function refuseEngine(file: string): never {
  const way = 'give it a source and a sink with pipeline(), or run it with --threads'
  throw commandInvalid('--on', `${file} exports a flow, whose results no engine can bring to this process: ${way}`)
}

/** `100` is a count, `1%` a share. */
function readLimit(text: string): MaxDeadLetters {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  const value = Number(match?.[1])
  if (match?.[2] === '%' && value <= 100) return { share: value / 100 }
  if (match?.[2] === '' && Number.isSafeInteger(value)) return { count: value }
  throw commandInvalid(text, `--max-dead-letters must be a count or a percentage, such as 100 or 1%: found ${text}`)
}

function readThreads(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const threads = Number(text)
  if (text.trim() !== '' && Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return threads
  throw commandInvalid(text, `--threads must be an integer from 1 to ${MOST_THREADS}: found ${text}`)
}

export function readShardOption(text: string | undefined): Shard | undefined {
  if (text === undefined) return undefined
  const shard = readShard(text)
  if (shard !== undefined) return shard
  const takes = `a number from 0 and the number of copies, at most ${MOST_SHARDS.toLocaleString('en-US')}: 2/8 is the third of eight`
  throw commandInvalid(text, `--shard takes ${takes}; found ${text}`)
}

export function readMs(
  name: string,
  text: string,
  { min, unitMs }: { readonly min: number; readonly unitMs: number },
): number {
  const value = Number(text)
  const max = Math.floor(MAX_TIMER_MS / unitMs)
  if (text.trim() !== '' && value >= min && value <= max) return value * unitMs
  throw commandInvalid(text, `${name} must be a number from ${min} to ${max}: found ${text}`)
}

export function oneOf<const T extends string>(what: string, given: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === given)
  if (found !== undefined) return found
  throw commandInvalid(given, `${what} takes ${choices.join(', ')}: found ${given}`)
}

/** The error for an invalid command line. */
export function commandInvalid(argument: string, message: string): SluiceError {
  return new SluiceError('COMMAND_INVALID', message, { argument })
}
