// Looks at what a DuckDB file keeps of a pipeline.

import { existsSync } from 'node:fs'
import { systemClock } from '../../../base/clock.ts'
import { SluiceError } from '../../../base/errors.ts'
import { duckdbTrouble, type Row, Session } from '../../duckdb/session.ts'
import { holderOf, isHeld, LEASE_MS } from '../../lease.ts'
import type { CheckpointSummary, KeptLetter, SinkInspector } from '../../sink.ts'
import { quoteName } from '../../sql/name.ts'
import { OwnTables } from './own-tables.ts'

export interface InspectOptions {
  readonly path: string
  readonly table: string
  readonly deadLetters: string
  readonly pipeline: string
}

export class DuckdbInspector implements SinkInspector {
  readonly #options: InspectOptions
  /** Undefined where there is no file. */
  readonly #session: Session | undefined

  private constructor(options: InspectOptions, session: Session | undefined) {
    this.#options = options
    this.#session = session
  }

  /** @throws {SluiceError} PIPELINE_HELD if another process has the file open */
  static async open(options: InspectOptions): Promise<DuckdbInspector> {
    const { path } = options
    return new DuckdbInspector(options, existsSync(path) ? await Session.open(path) : undefined)
  }

  async checkpoint(): Promise<CheckpointSummary | undefined> {
    return await this.#inTransaction('read', async (own) => {
      const found = await own.restore()
      if (found === undefined) return undefined
      const { epoch, totals, positions, states } = found
      const sizes = new Map([...states].map(([part, bytes]) => [part, bytes.length]))
      return {
        epoch,
        totals,
        positions,
        states: sizes,
        committed: await own.lastCommit(),
        holder: await holderIn(own),
      }
    })
  }

  async letters({ limit, after }: { readonly limit: number; readonly after?: KeptLetter }): Promise<KeptLetter[]> {
    const found = await this.#inTransaction('read', async (own, session) => {
      const { deadLetters, pipeline } = this.#options
      if (!(await own.has(deadLetters))) return []
      const behind = after === undefined ? '' : 'and (file, "offset", step, part) > ($3, $4, $5, $6)'
      const from =
        after === undefined ? [] : [after.origin.source, BigInt(after.origin.offset), after.step, BigInt(after.part)]
      const sql = `select file, line, "offset", step, part, reason, raw, epoch, epoch_ms("time") as time
        from ${quoteName(deadLetters)} where pipeline = $1 ${behind} order by file, "offset", step, part limit $2`
      return (await session.all(sql, [pipeline, BigInt(limit), ...from])).map(letterOf)
    })
    return found ?? []
  }

  async reset({ deadLetters }: { readonly deadLetters: boolean }): Promise<void> {
    await this.#inTransaction('reset', async (own) => {
      const { pipeline } = this.#options
      const by = await holderIn(own)
      if (by !== undefined) {
        throw new SluiceError('PIPELINE_HELD', `Cannot reset ${pipeline}: it is held by ${by}`, { pipeline, by })
      }
      await own.forget({ deadLetters })
    })
  }

  async close(): Promise<void> {
    this.#session?.close()
  }

  /** One transaction, so that all tables are seen as of the same commit. Undefined where there is no file. */
  async #inTransaction<T>(act: string, work: (own: OwnTables, session: Session) => Promise<T>): Promise<T | undefined> {
    const session = this.#session
    if (session === undefined) return undefined
    const { path, table, pipeline, deadLetters } = this.#options
    try {
      await session.run('begin')
      const result = await work(new OwnTables(session, pipeline, deadLetters), session)
      await session.run('commit')
      return result
    } catch (error) {
      await session.rollBack()
      throw duckdbTrouble(error, path, act, table)
    }
  }
}

async function holderIn(own: OwnTables): Promise<string | undefined> {
  if (!(await own.has('sluice_leases'))) return undefined
  const lease = await own.lease()
  const claim = { owner: '', leaseMs: LEASE_MS, nowMs: systemClock.wallMs() }
  return lease !== undefined && isHeld(lease, claim) ? holderOf(lease) : undefined
}

function letterOf({ file, line, offset, step, part, reason, raw, epoch, time }: Row): KeptLetter {
  return {
    kind: 'dead',
    origin: { source: String(file), line: Number(line), offset: Number(offset), raw: String(raw) },
    step: String(step),
    reason: String(reason),
    part: Number(part),
    epoch: Number(epoch),
    timeMs: Number(time),
  }
}
