// Options of the commands checkpoints, dead-letters and check.

import type { Shard } from '../connect/shard.ts'
import {
  commandInvalid,
  FILE_OPTIONS,
  type FileOptions,
  fileOptions,
  oneOf,
  parse,
  readShardOption,
} from './options.ts'

export interface CheckpointsOptions extends FileOptions {
  readonly action: 'list' | 'show' | 'reset' | 'break-lease'
  /** One of several sinks; the first if undefined. */
  readonly branch: string | undefined
  readonly json: boolean
  readonly yes: boolean
  /** Whether a reset deletes the dead letters, too. */
  readonly deadLetters: boolean
}

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readCheckpointsOptions(argv: readonly string[]): CheckpointsOptions {
  const command = 'checkpoints'
  const flags = {
    branch: { type: 'string' },
    json: { type: 'boolean' },
    yes: { type: 'boolean' },
    'dead-letters': { type: 'boolean' },
  } as const
  const { values, positionals } = parse(command, argv, { ...FILE_OPTIONS, ...flags })
  const [file, given = 'list', ...more] = positionals
  const action = oneOf(command, given, ['list', 'show', 'reset', 'break-lease'])
  if (action === 'reset') refuseBranch(values.branch, 'reset makes all sinks of a pipeline start over')
  return {
    ...fileOptions(command, file === undefined ? [] : [file, ...more], values),
    action,
    branch: values.branch,
    json: values.json ?? false,
    yes: values.yes ?? false,
    deadLetters: values['dead-letters'] ?? false,
  }
}

export interface DeadLettersOptions extends FileOptions {
  readonly action: 'list' | 'show' | 'replay' | 'export'
  /** One of several sinks; the first if undefined. */
  readonly branch: string | undefined
  readonly json: boolean
  readonly format: 'ndjson' | 'csv'
  /** The raw records alone. */
  readonly raw: boolean
  readonly full: boolean
  readonly limit: number
  readonly step: string | undefined
  readonly reason: string | undefined
  /** The first epoch of the dead letters to show. */
  readonly since: number
}

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readDeadLettersOptions(argv: readonly string[]): DeadLettersOptions {
  const command = 'dead-letters'
  const flags = {
    branch: { type: 'string' },
    json: { type: 'boolean' },
    format: { type: 'string' },
    raw: { type: 'boolean' },
    full: { type: 'boolean' },
    limit: { type: 'string' },
    step: { type: 'string' },
    reason: { type: 'string' },
    since: { type: 'string' },
  } as const
  const { values, positionals } = parse(command, argv, { ...FILE_OPTIONS, ...flags })
  const [file, given = 'list', ...more] = positionals
  const action = oneOf(command, given, ['list', 'show', 'replay', 'export'])
  if (action === 'replay') refuseBranch(values.branch, 'what a branch rejected has already gone into the other sinks')
  return {
    ...fileOptions(command, file === undefined ? [] : [file, ...more], values),
    action,
    branch: values.branch,
    json: values.json ?? false,
    format: oneOf('--format', values.format ?? 'ndjson', ['ndjson', 'csv']),
    raw: values.raw ?? false,
    full: values.full ?? false,
    limit: values.limit === undefined ? Number.POSITIVE_INFINITY : readCount('--limit', values.limit),
    step: values.step,
    reason: values.reason,
    since: values.since === undefined ? 0 : readCount('--since', values.since),
  }
}

export interface CheckOptions extends FileOptions {
  readonly json: boolean
  /** The most rows to show. */
  readonly rows: number
  readonly shard: Shard | undefined
  /** Whether what an engine cannot run is refused, too; no engine is asked. */
  readonly isOnEngine: boolean
}

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readCheckOptions(argv: readonly string[]): CheckOptions {
  const flags = {
    json: { type: 'boolean' },
    rows: { type: 'string' },
    shard: { type: 'string' },
    on: { type: 'boolean' },
  } as const
  const { values, positionals } = parse('check', argv, { ...FILE_OPTIONS, ...flags })
  return {
    ...fileOptions('check', positionals, values),
    json: values.json ?? false,
    rows: readCount('--rows', values.rows ?? '5'),
    shard: readShardOption(values.shard),
    isOnEngine: values.on ?? false,
  }
}

function refuseBranch(branch: string | undefined, why: string): void {
  if (branch === undefined) return
  throw commandInvalid('--branch', `--branch cannot be given here: ${why}`)
}

export function readCount(name: string, text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value
  throw commandInvalid(text, `${name} must be an integer: found ${text}`)
}
