// The databases that this thread has open: DuckDB wants a file opened once, by one process, and shared from there.

import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import type { DuckDBInstance } from '@duckdb/node-api'
import { errnoOf, SluiceError } from '../../../base/errors.ts'
import type { Duckdb } from '../client.ts'

/** What DuckDB may hold in memory: the embedded engine must stay small beside the pipeline that feeds it. */
export const MEMORY = '256MB'

/** In place of a file: a database that is nobody else's, and goes with its connection. */
export const IN_MEMORY = ':memory:'

/** The log of changes is folded into the file once it is this large, not after every other commit. */
const LOG_BYTES = '128MB'

export interface InstanceOptions {
  /** `256MB`; what a file that is open already was opened with stays. */
  readonly memory: string
  /** Opened for reading only, unless this thread has it open for more. */
  readonly isReading: boolean
}

interface Open {
  readonly instance: Promise<DuckDBInstance>
  /** Set once it is open. */
  opened: DuckDBInstance | undefined
  readonly isReading: boolean
  users: number
}

const OPEN = new Map<string, Open>()

/** Opens a file, or shares it; to be released by whoever got it. */
export async function acquire(duckdb: Duckdb, path: string, options: InstanceOptions): Promise<DuckDBInstance> {
  if (path === IN_MEMORY) return await duckdb.DuckDBInstance.create(path, settingsOf(options))
  const file = fileOf(path)
  const open = OPEN.get(file) ?? opened(duckdb, path, file, options)
  if (open.isReading && !options.isReading) throw held(path, 'a source of this process, which reads it')
  open.users += 1
  try {
    open.opened = await open.instance
    return open.opened
  } catch (error) {
    OPEN.delete(file)
    throw error
  }
}

/** The file is closed with its last user, so that others can open it. */
export function release(path: string): void {
  const file = fileOf(path)
  const open = OPEN.get(file)
  if (open === undefined) return
  open.users -= 1
  if (open.users > 0) return
  OPEN.delete(file)
  open.opened?.closeSync()
}

function settingsOf({ memory, isReading }: InstanceOptions): Record<string, string> {
  const settings = { threads: '1', memory_limit: memory, checkpoint_threshold: LOG_BYTES }
  return isReading ? { ...settings, access_mode: 'READ_ONLY' } : settings
}

function opened(duckdb: Duckdb, path: string, file: string, options: InstanceOptions): Open {
  const { isReading } = options
  checkThreads(path, file, isReading)
  const { DuckDBInstance } = duckdb
  const made = isReading || existsSync(file) ? Promise.resolve() : make(duckdb, file)
  const instance = made.then(() => DuckDBInstance.create(file, settingsOf(options)))
  const open = { instance, opened: undefined, isReading, users: 0 }
  OPEN.set(file, open)
  return open
}

/** A file that is there is whole: DuckDB cannot open one in whose making it was killed. */
async function make({ DuckDBInstance }: Duckdb, file: string): Promise<void> {
  const aside = `${file}.new-${process.pid}`
  try {
    const instance = await DuckDBInstance.create(aside)
    instance.closeSync()
    linkSync(aside, file)
  } catch (error) {
    const errno = errnoOf(error)
    // A disk that has no links: then two that make it at once may not both be lucky.
    if (errno === 'EPERM' || errno === 'ENOTSUP' || errno === 'ENOSYS') renameSync(aside, file)
    // Else somebody was faster.
    else if (errno !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

/**
 * DuckDB keeps other processes out, not other threads of this one: two of them would destroy the file. Where the system
 * tells what is open (on Linux), it is asked.
 */
function checkThreads(path: string, file: string, isReading: boolean): void {
  if (!existsSync(file) || !existsSync('/proc/self/fd')) return
  for (const descriptor of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(join('/proc/self/fd', descriptor)) !== file) continue
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(join('/proc/self/fdinfo', descriptor), 'utf8'))?.[1]
      const isWriting = (Number.parseInt(flags ?? '2', 8) & 3) !== 0
      if (!isReading || isWriting) throw held(path, 'another thread of this process')
    } catch (error) {
      // One that was closed while we looked.
      if (error instanceof SluiceError) throw error
    }
  }
}

function held(path: string, by: string): SluiceError<'PIPELINE_HELD'> {
  const message = `Cannot open ${JSON.stringify(path)}: ${by} has it open, and DuckDB lets one in`
  return new SluiceError('PIPELINE_HELD', message, { pipeline: path, by })
}

/** By whatever name it is called. */
function fileOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path)
}
