// The databases open in this thread: DuckDB wants a file opened once, by one process, and shared from there.

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

/** Instead of a file: a private database, which ends with its connection. */
export const IN_MEMORY = ':memory:'

/** The write-ahead log is merged into the file once it reaches this size, not at every other commit. */
const LOG_BYTES = '128MB'

export interface InstanceOptions {
  /** `256MB`; a file that is already open keeps its own. */
  readonly memory: string
  /** Opened read-only, unless this thread has it open for writing. */
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

/** Opens a file, or shares it; the caller must release it. */
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

/** An existing file is always complete: DuckDB cannot open one whose creation was killed. */
async function make({ DuckDBInstance }: Duckdb, file: string): Promise<void> {
  const aside = `${file}.new-${process.pid}`
  try {
    const instance = await DuckDBInstance.create(aside)
    instance.closeSync()
    linkSync(aside, file)
  } catch (error) {
    const errno = errnoOf(error)
    // A disk without links: if two create it at once, both may fail.
    if (errno === 'EPERM' || errno === 'ENOTSUP' || errno === 'ENOSYS') renameSync(aside, file)
    // Otherwise somebody else was faster.
    else if (errno !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

/**
 * DuckDB locks out other processes, but not other threads of this one: two of them would destroy the file. If the
 * system says which files are open (as Linux does), it is asked.
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
      // Closed while we looked.
      if (error instanceof SluiceError) throw error
    }
  }
}

function held(path: string, by: string): SluiceError<'PIPELINE_HELD'> {
  const message = `Cannot open ${JSON.stringify(path)}: ${by} has it open, and DuckDB allows one`
  return new SluiceError('PIPELINE_HELD', message, { pipeline: path, by })
}

/** Under any name. */
function fileOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path)
}
