// The options of `sluice run`: read from the command line, refused with the place and the reason.

import { parseArgs } from 'node:util'
import { messageOf, SluiceError } from '../base/errors.ts'
import type { MaxDeadLetters } from '../pipeline/reject-limit.ts'
import { nearest } from './nearest.ts'

/** What the command line asks of a run, or of a graph. */
export interface RunOptions {
  readonly file: string
  readonly params: ReadonlyMap<string, string>
  readonly json: boolean
  readonly quiet: boolean
  readonly help: boolean
  readonly log: 'text' | 'json'
  readonly maxDeadLetters: MaxDeadLetters | undefined
  readonly epochMs: number
  readonly drainTimeoutMs: number
}

const OPTIONS = {
  param: { type: 'string', multiple: true, short: 'p' },
  json: { type: 'boolean' },
  strict: { type: 'boolean' },
  'max-dead-letters': { type: 'string' },
  'epoch-ms': { type: 'string' },
  'drain-timeout': { type: 'string' },
  log: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
} as const

/** @throws {SluiceError} COMMAND_INVALID for anything that is not an option of `sluice run` */
export function readOptions(command: string, argv: readonly string[]): RunOptions {
  const { values, positionals } = parse(command, argv)
  const [file, extra] = positionals
  if (file === undefined) throw invalid(command, `sluice ${command} needs a file: sluice ${command} FILE`)
  if (extra !== undefined) throw invalid(extra, `sluice ${command} takes one file: found ${file} and ${extra}`)
  const { log = 'text', strict } = values
  if (log !== 'text' && log !== 'json') throw invalid(log, `--log must be text or json: found ${log}`)
  const limit = values['max-dead-letters']
  if (strict === true && limit !== undefined) {
    throw invalid('--strict', '--strict allows no dead letter and --max-dead-letters some: give one of them')
  }
  return {
    file,
    params: readParamPairs(values.param ?? []),
    json: values.json ?? false,
    quiet: values.quiet ?? false,
    help: values.help ?? false,
    log,
    maxDeadLetters: strict === true ? { count: 0 } : limit === undefined ? undefined : readLimit(limit),
    epochMs: readNumber('--epoch-ms', values['epoch-ms'] ?? '1000', 1),
    drainTimeoutMs: readNumber('--drain-timeout', values['drain-timeout'] ?? '30', 0) * 1000,
  }
}

function parse(command: string, argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    const unknown = /'(--?[^']+)'/.exec(messageOf(error))?.[1]?.split(' ')[0]
    const meant = unknown === undefined ? undefined : nearest(unknown.replace(/^-+/, ''), Object.keys(OPTIONS))
    if ((error as NodeJS.ErrnoException).code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION' || unknown === undefined) {
      throw invalid(unknown ?? command, `sluice ${command}: ${messageOf(error)}`)
    }
    const hint = meant === undefined ? `see sluice help ${command}` : `did you mean --${meant}?`
    throw invalid(unknown, `sluice ${command} has no option ${unknown}: ${hint}`)
  }
}

function readParamPairs(pairs: readonly string[]): ReadonlyMap<string, string> {
  const params = new Map<string, string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw invalid(pair, `--param must be name=value: found ${pair}`)
    const name = pair.slice(0, at)
    if (params.has(name)) throw invalid(pair, `--param ${name} is given twice`)
    params.set(name, pair.slice(at + 1))
  }
  return params
}

/** `100` is a count, `1%` a share. */
function readLimit(text: string): MaxDeadLetters {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  const value = Number(match?.[1])
  if (match?.[2] === '%' && value <= 100) return { share: value / 100 }
  if (match?.[2] === '' && Number.isSafeInteger(value)) return { count: value }
  throw invalid(text, `--max-dead-letters must be a count or a percentage, such as 100 or 1%: found ${text}`)
}

function readNumber(name: string, text: string, min: number): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= min) return value
  throw invalid(text, `${name} must be a number, ${min} or more: found ${text}`)
}

function invalid(argument: string, message: string): SluiceError {
  return new SluiceError('COMMAND_INVALID', message, { argument })
}
