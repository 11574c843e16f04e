// Looks at what a PostgreSQL database keeps of a pipeline.

import { SluiceError } from '../../../base/errors.ts'
import { holderOf, isHeld, LEASE_MS } from '../../lease.ts'
import { PostgresClient } from '../../postgres/client.ts'
import type { PostgresConnection } from '../../postgres/connection.ts'
import type { CheckpointSummary, KeptLetter, SinkInspector } from '../../sink.ts'
import { quoteName } from '../../sql/name.ts'
import { currentSchema, tablesOf } from './catalogue.ts'
import { CheckpointTable, TABLES } from './checkpoints.ts'
import { LeaseTable } from './leases.ts'
import { sinkTrouble } from './trouble.ts'

export interface InspectOptions {
  readonly connection: string | PostgresConnection
  /** The server and database, for errors: never with a password. */
  readonly sink: string
  readonly schema: string | undefined
  readonly table: string
  readonly deadLetters: string
  readonly pipeline: string
  readonly timeoutMs: number
}

/** How long a reset waits for who changes the same rows now. */
const LOCK_MS = 5000

/** When a letter was buried, in epoch milliseconds, whole. */
const TIME = 'floor(extract(epoch from "time") * 1000)::float8'

export class PostgresInspector implements SinkInspector {
  readonly #options: InspectOptions
  readonly #client: PostgresClient
  /** Undefined where there is none, and so no table either. */
  readonly #schema: string | undefined

  private constructor(options: InspectOptions, client: PostgresClient, schema: string | undefined) {
    this.#options = options
    this.#client = client
    this.#schema = schema
  }

  /** @throws {SluiceError} SINK_LOST, SINK_UNREACHABLE or CONFIG_INVALID if there is no connecting */
  static async open(options: InspectOptions): Promise<PostgresInspector> {
    const { connection, pipeline, timeoutMs } = options
    return await guarded(options, 'open', async () => {
      const client = await PostgresClient.open({ connection, name: `sluice/${pipeline}`, timeoutMs, signal: undefined })
      try {
        return new PostgresInspector(options, client, options.schema ?? (await currentSchema(client)))
      } catch (error) {
        await client.close()
        throw error
      }
    })
  }

  checkpoint(): Promise<CheckpointSummary | undefined> {
    return this.#guarded('read', async (schema) => {
      const { pipeline } = this.#options
      const there = await tablesOf(this.#client, schema, TABLES)
      if (there.size === 0) return undefined
      const table = new CheckpointTable(schema, pipeline)
      const found = await table.restore(this.#client)
      if (found === undefined) return undefined
      const { epoch, totals, positions, states } = found
      const sizes = new Map([...states].map(([part, bytes]) => [part, bytes.length]))
      const committed = await table.lastCommit(this.#client)
      return { epoch, totals, positions, states: sizes, committed, holder: await this.#holder(schema) }
    })
  }

  async letters({ limit, after }: { readonly limit: number; readonly after?: KeptLetter }): Promise<KeptLetter[]> {
    const found = await this.#guarded('read', async (schema) => {
      const { deadLetters, pipeline } = this.#options
      if (!(await this.#has(schema, deadLetters))) return []
      const behind = after === undefined ? '' : 'and (file, "offset", step, part) > ($3, $4, $5, $6)'
      const from = after === undefined ? [] : [after.origin.source, after.origin.offset, after.step, after.part]
      const sql = `select file, line::float8, "offset"::float8, step, part::float8, reason, raw, epoch::float8, ${TIME} as time
        from ${quoteName(schema)}.${quoteName(deadLetters)} where pipeline = $1 ${behind}
        order by file, "offset", step, part limit $2`
      return (await this.#client.query(sql, [pipeline, limit, ...from])).rows.map(letterOf)
    })
    return found ?? []
  }

  async reset({ deadLetters }: { readonly deadLetters: boolean }): Promise<void> {
    await this.#guarded('reset', async (schema) => {
      await this.#client.query(`begin isolation level read committed; set local lock_timeout = ${LOCK_MS}`)
      try {
        await this.#forget(schema, deadLetters)
        await this.#client.query('commit')
      } catch (error) {
        if (!this.#client.isLost) await this.#client.query('rollback')
        throw error
      }
    })
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  async #forget(schema: string, isWithLetters: boolean): Promise<void> {
    const { pipeline, deadLetters } = this.#options
    const by = await this.#holder(schema, 'for update')
    if (by !== undefined) {
      throw new SluiceError('PIPELINE_HELD', `Cannot reset ${pipeline}: it is held by ${by}`, { pipeline, by })
    }
    const there = await tablesOf(this.#client, schema, isWithLetters ? [...TABLES, deadLetters] : TABLES)
    for (const table of there) {
      await this.#client.query(`delete from ${quoteName(schema)}.${quoteName(table)} where pipeline = $1`, [pipeline])
    }
  }

  /** Who holds the pipeline; with a lock, nobody takes it until the transaction ends. */
  async #holder(schema: string, lock: '' | 'for update' = ''): Promise<string | undefined> {
    if (!(await this.#has(schema, 'sluice_leases'))) return undefined
    const lease = await new LeaseTable(schema, this.#options.pipeline).find(this.#client, lock)
    if (lease === undefined) return undefined
    return isHeld(lease, { owner: '', leaseMs: LEASE_MS, nowMs: lease.nowMs }) ? holderOf(lease) : undefined
  }

  async #has(schema: string, table: string): Promise<boolean> {
    return (await tablesOf(this.#client, schema, [table])).size > 0
  }

  /** Undefined where there is no schema. */
  async #guarded<T>(act: string, work: (schema: string) => Promise<T>): Promise<T | undefined> {
    const schema = this.#schema
    return schema === undefined ? undefined : await guarded(this.#options, act, () => work(schema))
  }
}

function letterOf(row: Record<string, unknown>): KeptLetter {
  const { file, line, offset, step, part, reason, raw, epoch, time } = row
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

async function guarded<T>(options: InspectOptions, act: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw sinkTrouble(error, options, act)
  }
}
