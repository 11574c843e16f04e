// Writes rows to their table, many with one COPY; rejected rows are returned as dead letters.

import { isDeepStrictEqual } from 'node:util'
import { invariant } from '../../../base/invariant.ts'
import { type Batch, deadLetterAt } from '../../batch.ts'
import { quoteName } from '../../kits/sql/name.ts'
import type { Shape } from '../../kits/sql/shape.ts'
import { adaptTable, ensureTable, type Tables } from '../../kits/sql/table.ts'
import type { RowTable } from '../../kits/store/database.ts'
import type { DeadLetter } from '../../origin.ts'
import type { PostgresClient } from '../client.ts'
import { errorKind, reasonOf } from '../errors.ts'
import type { FoundTable } from './catalogue.ts'
import { RowEncoder } from './encoder.ts'
import { Output } from './output.ts'
import { doWork } from './session.ts'
import { isDuplicate, Stage, UNDO } from './stage.ts'
import type { Table, TableColumn } from './table.ts'

/** The step of this sink's dead letters. */
export const STEP = 'postgres'

/** The maximum size of a COPY, except for a single row: kept until the server has received all of it. */
const CHUNK_ROWS = 20_000
const CHUNK_BYTES = 1024 * 1024

const BEGIN = 'savepoint sluice_rows'
const KEEP = 'release savepoint sluice_rows'

export interface RowWriterOptions {
  readonly client: PostgresClient
  readonly tables: Tables<FoundTable, TableColumn>
  readonly shape: Shape
  /** The name of the temporary table that rows pass through. */
  readonly stage: string
}

/** A table that is ready for rows. */
interface Ready {
  readonly table: Table
  readonly encoder: RowEncoder
  /** A binary COPY straight into the table; undefined if rows have to pass through the stage. */
  readonly copySql: string | undefined
  readonly stage: Stage
}

/** Chunks that are merged after one whose keys existed, before another is tried without: more each time. */
const FIRST_MERGES = 4
const MOST_MERGES = 256

/**
 * Writes rows inside a transaction that the caller has begun.
 *
 * A failed COPY leaves nothing of its rows behind; they then pass through the stage, where the server inserts them one
 * by one and rejects only the bad ones. Rows that the table has no column for change the table if allowed.
 */
export class RowWriter implements RowTable {
  readonly #options: RowWriterOptions
  readonly #out = new Output()
  /** Undefined before the first `enter`. */
  #ready: Ready | undefined
  /** How many of the next chunks are merged right away, and how many it will be once a key exists again. */
  #merges = 0
  #nextMerges = FIRST_MERGES

  constructor(options: RowWriterOptions) {
    this.#options = options
  }

  /** Creates the table if it is missing, or checks the existing one; inside a transaction. */
  async ensure(): Promise<void> {
    await this.#ensure()
  }

  /**
   * Called once in every transaction, before its first row: nobody can change the table from then on, and if somebody
   * has, it is examined again. Rows are sent as bytes that mean nothing without the types of columns.
   */
  async enter(): Promise<void> {
    const { client } = this.#options
    const before = this.#ready?.table ?? (await this.#ensure())
    await client.query(`lock table ${before.sql} in row exclusive mode`)
    this.#ready?.stage.forget()
    const table = await this.#ensure()
    if (!isDeepStrictEqual(this.#ready?.table.found, table.found)) this.#makeReady(table)
  }

  /** Takes rows; returns a dead letter for each rejected one, all others are written. */
  async write(rows: Batch): Promise<DeadLetter[]> {
    let { encoder } = this.#enteredTable
    const letters: DeadLetter[] = []
    const out = this.#out
    let held: number[] = []
    let starts: number[] = []
    let isAdapted = false
    const flush = async (): Promise<void> => {
      if (held.length > 0) await this.#send({ rows, held, starts: [...starts, out.at] }, letters)
      out.clear()
      held = []
      starts = []
    }
    out.clear()
    for (let at = 0; at < rows.length; at += 1) {
      const start = out.at
      const fault = encoder.encode(out, rows.at(at))
      if (fault !== undefined && encoder.isMisfit && !isAdapted) {
        // Once for all that are left: what does not fit then never will.
        isAdapted = true
        await flush()
        await this.#adapt(rows.slice(at).values())
        encoder = this.#enteredTable.encoder
        at -= 1
        continue
      }
      if (fault !== undefined) {
        letters.push(deadLetterAt(rows, at, STEP, fault))
        continue
      }
      held.push(at)
      starts.push(start)
      if (held.length >= CHUNK_ROWS || out.at >= CHUNK_BYTES) await flush()
    }
    await flush()
    return letters
  }

  /** Uses more of the table's columns, and changes the table if allowed, so that rows fit. */
  async #adapt(rows: readonly unknown[]): Promise<void> {
    const { client, tables } = this.#options
    this.#makeReady(await doWork(client, adaptTable(tables, this.#enteredTable.table, rows)))
  }

  /** Its shape grows with the columns that rows have. */
  #ensure(): Promise<Table> {
    const { client, tables, shape } = this.#options
    return doWork(client, ensureTable(tables, this.#ready?.table.shape ?? shape))
  }

  #makeReady(table: Table): void {
    const { client, stage } = this.#options
    const all = table.columns.map(({ name }) => quoteName(name)).join(', ')
    const isPassing = table.columns.some(({ codec }) => codec.isCast)
    const copySql = isPassing ? undefined : `${BEGIN}; copy ${table.sql} (${all}) from stdin (format binary); ${KEEP}`
    this.#ready = { table, encoder: new RowEncoder(table), copySql, stage: new Stage(client, table, stage) }
  }

  /**
   * Writes a chunk. Most rows are new: those with a key are tried without looking for existing ones, which saves a
   * quarter, and are merged once the table says that a key exists.
   */
  async #send(chunk: Chunk, letters: DeadLetter[]): Promise<void> {
    const { copySql, stage, table } = this.#enteredTable
    const { starts, held } = chunk
    const all = held.length
    const isKeyed = table.shape.key !== undefined
    if (copySql !== undefined && this.#merges === 0) {
      const fault = await this.#try(copySql, this.#out.copyOf(starts[0] as number, starts[all] as number))
      if (fault === undefined) {
        this.#nextMerges = FIRST_MERGES
        return
      }
      if (isKeyed && isDuplicate(fault)) {
        this.#merges = this.#nextMerges
        this.#nextMerges = Math.min(MOST_MERGES, this.#nextMerges * 2)
      } else return await this.#sort(chunk, letters)
    } else this.#merges = Math.max(0, this.#merges - 1)
    const fault = await stage.merge(this.#out.numberedCopyOf(starts, 0, all))
    if (fault !== undefined) await this.#sort(chunk, letters)
  }

  /** Writes a chunk row by row. */
  async #sort({ rows, held, starts }: Chunk, letters: DeadLetter[]): Promise<void> {
    const { stage, table } = this.#enteredTable
    for (const { number, error } of await stage.sort(this.#out.numberedCopyOf(starts, 0, held.length))) {
      const reason = `table ${table.shape.table} rejects the row: ${reasonOf(error)}`
      letters.push(deadLetterAt(rows, held[number] as number, STEP, reason))
    }
  }

  /** Writes rows, or returns the table's objection to one of them and writes nothing. */
  async #try(sql: string, bytes: Uint8Array): Promise<unknown> {
    const { client } = this.#options
    try {
      await client.copy(sql, bytes)
      return undefined
    } catch (error) {
      if (errorKind(error) !== 'row') throw error
      await client.query(UNDO)
      return error
    }
  }

  get #enteredTable(): Ready {
    invariant(this.#ready !== undefined, 'rows were written to a table that was not prepared')
    return this.#ready
  }
}

/** Encoded rows, with where each begins and the last one ends. */
interface Chunk {
  readonly rows: Batch
  /** Their indices in the batch. */
  readonly held: readonly number[]
  readonly starts: readonly number[]
}
