// Looks at what a SQLite file keeps of a pipeline.

import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../../../base/clock.ts'
import { SluiceError } from '../../../base/errors.ts'
import { holderOf, isHeld, LEASE_MS } from '../../lease.ts'
import type { CheckpointSummary, KeptLetter, SinkInspector } from '../../sink.ts'
import { quoteName } from '../../sql/name.ts'
import { openSqlite } from '../../sql/open-sqlite.ts'
import { CheckpointTable } from './checkpoints.ts'
import { LeaseTable } from './leases.ts'
import { troubleOf } from './trouble.ts'

export interface InspectOptions {
  readonly path: string
  readonly table: string
  readonly deadLetters: string
  readonly pipeline: string
}

export class SqliteInspector implements SinkInspector {
  readonly #options: InspectOptions
  /** Undefined where there is no file. */
  readonly #database: DatabaseSync | undefined

  constructor(options: InspectOptions) {
    this.#options = options
    this.#database = existsSync(options.path) ? openSqlite(options.path, { timeout: 5000 }) : undefined
  }

  async checkpoint(): Promise<CheckpointSummary | undefined> {
    return this.#guarded('read', (database) => {
      const { pipeline } = this.#options
      const table = new CheckpointTable(database, pipeline)
      const found = table.restore()
      if (found === undefined) return undefined
      const { epoch, totals, positions, states } = found
      const sizes = new Map([...states].map(([part, bytes]) => [part, bytes.length]))
      return { epoch, totals, positions, states: sizes, committed: table.lastCommit(), holder: this.#holder(database) }
    })
  }

  async letters({ limit, after }: { readonly limit: number; readonly after?: KeptLetter }): Promise<KeptLetter[]> {
    const rows = this.#guarded('read', (database) => {
      const { deadLetters, pipeline } = this.#options
      const there = database.prepare('select 1 from sqlite_schema where name = ?').get(deadLetters)
      if (there === undefined) return []
      const behind = after === undefined ? '' : 'and (file, "offset", step, part) > (?, ?, ?, ?)'
      const sql = `select * from ${quoteName(deadLetters)} where pipeline = ? ${behind} order by file, "offset", step, part limit ?`
      const from = after === undefined ? [] : [after.origin.source, after.origin.offset, after.step, after.part]
      return database.prepare(sql).all(pipeline, ...from, limit)
    })
    return (rows ?? []).map(({ file, line, offset, step, part, reason, raw, epoch, time }) => ({
      kind: 'dead',
      origin: { source: String(file), line: Number(line), offset: Number(offset), raw: String(raw) },
      step: String(step),
      reason: String(reason),
      part: Number(part),
      epoch: Number(epoch),
      timeMs: Number(time),
    }))
  }

  async reset({ deadLetters }: { readonly deadLetters: boolean }): Promise<void> {
    this.#guarded('reset', (database) => {
      const { pipeline, deadLetters: letters } = this.#options
      database.exec('begin immediate')
      try {
        const by = this.#holder(database)
        if (by !== undefined) {
          throw new SluiceError('PIPELINE_HELD', `Cannot reset ${pipeline}: it is held by ${by}`, { pipeline, by })
        }
        new CheckpointTable(database, pipeline).reset()
        if (deadLetters && database.prepare('select 1 from sqlite_schema where name = ?').get(letters) !== undefined) {
          database.prepare(`delete from ${quoteName(letters)} where pipeline = ?`).run(pipeline)
        }
        database.exec('commit')
      } catch (error) {
        database.exec('rollback')
        throw error
      }
    })
  }

  async close(): Promise<void> {
    this.#database?.close()
  }

  #holder(database: DatabaseSync): string | undefined {
    const lease = new LeaseTable(database, this.#options.pipeline).current()
    const claim = { owner: '', leaseMs: LEASE_MS, nowMs: systemClock.wallMs() }
    return lease !== undefined && isHeld(lease, claim) ? holderOf(lease) : undefined
  }

  #guarded<T>(act: string, work: (database: DatabaseSync) => T): T | undefined {
    if (this.#database === undefined) return undefined
    try {
      return work(this.#database)
    } catch (error) {
      const { path, table } = this.#options
      throw troubleOf(error, { path, act, table })
    }
  }
}
