// Writes rows into their table, many with one COPY; what the table refuses comes back as dead letters.

import { invariant } from '../../../base/invariant.ts'
import { type DeadLetter, deadLetter, type Traced } from '../../origin.ts'
import type { PostgresClient } from '../../postgres/client.ts'
import { reasonOf, troubleKind } from '../../postgres/trouble.ts'
import { quoteName } from '../../sql/name.ts'
import { RowEncoder } from './encoder.ts'
import { Output } from './output.ts'
import type { Shape } from './shape.ts'
import { ensureTable, type Place, type Table } from './table.ts'

/** The step of dead letters that this sink makes. */
export const STEP = 'postgres'

/** What one COPY holds at most, but for a single row: kept until the server has taken all of it. */
const CHUNK_ROWS = 20_000
const CHUNK_BYTES = 1024 * 1024

const BEGIN = 'savepoint sluice_rows'
const KEEP = 'release savepoint sluice_rows'
const UNDO = 'rollback to savepoint sluice_rows; release savepoint sluice_rows'

export interface RowWriterOptions {
  readonly client: PostgresClient
  readonly place: Place
  readonly shape: Shape
  /** The name of the temporary table through which rows with a key go. */
  readonly stage: string
}

/** A table that is ready for rows. */
interface Ready {
  readonly table: Table
  readonly encoder: RowEncoder
  /** Takes one COPY in binary form, and leaves nothing behind if it fails. */
  readonly copySql: string
}

/**
 * Writes rows inside the transaction that its caller has begun.
 *
 * A COPY that fails leaves nothing of its rows behind; its halves are then written, and so on down to single rows, so
 * that only the bad ones are refused.
 */
export class RowWriter {
  readonly #options: RowWriterOptions
  readonly #out = new Output()
  /** Undefined before the first `enter`. */
  #ready: Ready | undefined

  constructor(options: RowWriterOptions) {
    this.#options = options
  }

  /** Makes the table where it is missing, or checks the one that is there; inside a transaction. */
  async ensure(): Promise<Table> {
    const { client, place, shape } = this.#options
    return await ensureTable(client, place, shape)
  }

  /**
   * To be called once in every transaction, before its first row: nobody can change the table from then on, and if
   * somebody has, it is looked at again. Rows go to the server as bytes that mean nothing without the types of columns.
   */
  async enter(): Promise<void> {
    const { client } = this.#options
    const before = this.#ready?.table ?? (await this.ensure())
    await client.query(`lock table ${before.sql} in row exclusive mode`)
    const table = await this.ensure()
    if (this.#ready?.table.fingerprint === table.fingerprint) return
    if (table.shape.key !== undefined) await this.#makeStage(table)
    this.#ready = { table, encoder: new RowEncoder(table), copySql: this.#copySql(table) }
  }

  /** Takes rows; gives back a letter for each that was refused, all others are written. */
  async write(events: readonly Traced<unknown>[]): Promise<DeadLetter[]> {
    const { encoder, copySql: sql } = this.#enteredTable
    const letters: DeadLetter[] = []
    const out = this.#out
    let held: Traced<unknown>[] = []
    let starts: number[] = []
    const flush = async (): Promise<void> => {
      if (held.length > 0) await this.#send({ sql, held, starts: [...starts, out.at] }, 0, held.length, letters)
      out.clear()
      held = []
      starts = []
    }
    out.clear()
    for (const event of events) {
      const start = out.at
      const fault = encoder.encode(out, event.value, held.length)
      if (fault !== undefined) {
        letters.push(deadLetter(event.origin, STEP, fault))
        continue
      }
      held.push(event)
      starts.push(start)
      if (held.length >= CHUNK_ROWS || out.at >= CHUNK_BYTES) await flush()
    }
    await flush()
    return letters
  }

  /** Writes the rows of a chunk from one number to another, or finds out which of them are refused. */
  async #send(chunk: Chunk, from: number, to: number, letters: DeadLetter[]): Promise<void> {
    const { client, shape } = this.#options
    try {
      await client.copy(chunk.sql, this.#out.copyOf(chunk.starts[from] as number, chunk.starts[to] as number))
    } catch (error) {
      if (troubleKind(error) !== 'row') throw error
      await client.query(UNDO)
      if (to - from === 1) {
        const { origin } = chunk.held[from] as Traced<unknown>
        letters.push(deadLetter(origin, STEP, `table ${shape.table} refuses the row: ${reasonOf(error)}`))
        return
      }
      const middle = (from + to) >>> 1
      await this.#send(chunk, from, middle, letters)
      await this.#send(chunk, middle, to, letters)
    }
  }

  async #makeStage({ sql, columns }: Table): Promise<void> {
    const { client } = this.#options
    const stage = this.#stageSql
    const names = columns.map(({ name }) => quoteName(name)).join(', ')
    await client.query(
      `drop table if exists ${stage}; create temporary table ${stage} on commit delete rows as ` +
        `select 0::int4 as ${this.#numberSql}, ${names} from ${sql} with no data`,
    )
  }

  #copySql({ sql, shape, columns }: Table): string {
    const names = columns.map(({ name }) => quoteName(name))
    const all = names.join(', ')
    if (shape.key === undefined) return `${BEGIN}; copy ${sql} (${all}) from stdin (format binary); ${KEEP}`
    const stage = this.#stageSql
    const number = this.#numberSql
    const key = shape.key.map(quoteName).join(', ')
    const isKey = new Set(shape.key.map(quoteName))
    const changes = names.filter((name) => !isKey.has(name)).map((name) => `${name} = excluded.${name}`)
    const action = changes.length === 0 ? 'nothing' : `update set ${changes.join(', ')}`
    return (
      `${BEGIN}; copy ${stage} (${number}, ${all}) from stdin (format binary); ` +
      `with taken as (delete from ${stage} returning *) insert into ${sql} (${all}) ` +
      // In the order of the key, in which two loads do not lock each other out.
      `select distinct on (${key}) ${all} from taken order by ${key}, ${number} desc ` +
      `on conflict (${key}) do ${action}; ${KEEP}`
    )
  }

  get #enteredTable(): Ready {
    invariant(this.#ready !== undefined, 'rows were written to a table that was not made ready')
    return this.#ready
  }

  get #stageSql(): string {
    return `pg_temp.${quoteName(this.#options.stage)}`
  }

  /** A name that none of the columns has. */
  get #numberSql(): string {
    const names = this.#options.shape.columns.map(({ name }) => name)
    let name = '_number'
    while (names.includes(name)) name = `_${name}`
    return quoteName(name)
  }
}

/** Rows that are encoded, with where each begins and the last one ends. */
interface Chunk {
  readonly sql: string
  readonly held: readonly Traced<unknown>[]
  readonly starts: readonly number[]
}
