// Writes rows into their table, many with one COPY; what the table refuses comes back as dead letters.

import { invariant } from '../../../base/invariant.ts'
import { type DeadLetter, deadLetter, type Traced } from '../../origin.ts'
import type { PostgresClient } from '../../postgres/client.ts'
import { reasonOf, sqlStateOf, troubleKind } from '../../postgres/trouble.ts'
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

/** A key is there already. */
const UNIQUE_VIOLATION = '23505'

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
  /** Takes one COPY in binary form straight into the table, and leaves nothing behind if it fails. */
  readonly copySql: string
  /** The same by way of a temporary table, each row led by its number: rows of a key that is there overwrite them. */
  readonly mergeSql: string | undefined
}

/** Chunks that are merged after one whose keys were there, before another is tried without: more each time. */
const FIRST_MERGES = 4
const MOST_MERGES = 256

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
  /** How many of the next chunks are merged right away, and how many it will be once a key is there again. */
  #merges = 0
  #nextMerges = FIRST_MERGES

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
    const mergeSql = table.shape.key === undefined ? undefined : this.#mergeSql(table, table.shape.key)
    this.#ready = { table, encoder: new RowEncoder(table), copySql: this.#copySql(table), mergeSql }
  }

  /** Takes rows; gives back a letter for each that was refused, all others are written. */
  async write(events: readonly Traced<unknown>[]): Promise<DeadLetter[]> {
    const { encoder } = this.#enteredTable
    const letters: DeadLetter[] = []
    const out = this.#out
    let held: Traced<unknown>[] = []
    let starts: number[] = []
    const flush = async (): Promise<void> => {
      if (held.length > 0) await this.#send({ held, starts: [...starts, out.at] }, letters)
      out.clear()
      held = []
      starts = []
    }
    out.clear()
    for (const event of events) {
      const start = out.at
      const fault = encoder.encode(out, event.value)
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

  /**
   * Writes a chunk. Most rows are new ones: those with a key are tried without looking for theirs, which costs a quarter,
   * and are merged once the table says that one is there.
   */
  async #send(chunk: Chunk, letters: DeadLetter[]): Promise<void> {
    const { copySql, mergeSql } = this.#enteredTable
    const all = chunk.held.length
    if (mergeSql === undefined) return await this.#write(copySql, chunk, 0, all, letters)
    if (this.#merges === 0) {
      const fault = await this.#try(copySql, this.#out.copyOf(chunk.starts[0] as number, chunk.starts[all] as number))
      if (fault === undefined) {
        this.#nextMerges = FIRST_MERGES
        return
      }
      if (sqlStateOf(fault) === UNIQUE_VIOLATION) {
        this.#merges = this.#nextMerges
        this.#nextMerges = Math.min(MOST_MERGES, this.#nextMerges * 2)
      }
    } else this.#merges -= 1
    await this.#write(mergeSql, chunk, 0, all, letters)
  }

  /** Writes the rows of a chunk from one number to another, or finds out which of them are refused. */
  async #write(sql: string, chunk: Chunk, from: number, to: number, letters: DeadLetter[]): Promise<void> {
    const { mergeSql } = this.#enteredTable
    const { starts, held } = chunk
    const bytes =
      sql === mergeSql
        ? this.#out.numberedCopyOf(starts, from, to)
        : this.#out.copyOf(starts[from] as number, starts[to] as number)
    const fault = await this.#try(sql, bytes)
    if (fault === undefined) return
    if (to - from === 1) {
      const { origin } = held[from] as Traced<unknown>
      letters.push(deadLetter(origin, STEP, `table ${this.#options.shape.table} refuses the row: ${reasonOf(fault)}`))
      return
    }
    const middle = (from + to) >>> 1
    await this.#write(sql, chunk, from, middle, letters)
    await this.#write(sql, chunk, middle, to, letters)
  }

  /** Writes rows, or gives what the table has against one of them and leaves none. */
  async #try(sql: string, bytes: Uint8Array): Promise<unknown> {
    const { client } = this.#options
    try {
      await client.copy(sql, bytes)
      return undefined
    } catch (error) {
      if (troubleKind(error) !== 'row') throw error
      await client.query(UNDO)
      return error
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

  #copySql({ sql, columns }: Table): string {
    const all = columns.map(({ name }) => quoteName(name)).join(', ')
    return `${BEGIN}; copy ${sql} (${all}) from stdin (format binary); ${KEEP}`
  }

  #mergeSql({ sql, columns }: Table, keyNames: readonly string[]): string {
    const names = columns.map(({ name }) => quoteName(name))
    const all = names.join(', ')
    const stage = this.#stageSql
    const number = this.#numberSql
    const key = keyNames.map(quoteName).join(', ')
    const isKey = new Set(keyNames.map(quoteName))
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
  readonly held: readonly Traced<unknown>[]
  readonly starts: readonly number[]
}
