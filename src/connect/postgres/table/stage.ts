// A temporary table that rows pass through: if they overwrite others, are converted from text by the server, or are
// rejected one by one.

import { quoteName } from '../../kits/sql/name.ts'
import { onConflict } from '../../kits/sql/upsert.ts'
import type { PostgresClient } from '../client.ts'
import { errorKind, sqlStateOf } from '../errors.ts'
import { literal } from './literal.ts'
import type { Table } from './table.ts'

/** A row rejected by the table, by its number, with the server's message. */
export interface RefusedRow {
  readonly number: number
  readonly error: unknown
}

const SAVEPOINT = 'savepoint sluice_rows'
const KEEP = 'release savepoint sluice_rows'
export const UNDO = 'rollback to savepoint sluice_rows; release savepoint sluice_rows'

/**
 * Created in the transaction that uses it, and dropped with it: behind a pooler the next transaction may be in another
 * session. Each chunk of rows begins with an empty one; truncating a table created in the same transaction costs next
 * to nothing.
 */
export class Stage {
  readonly #client: PostgresClient
  readonly #table: Table
  readonly #name: string
  readonly #refused: string
  /** A name that none of the columns has. */
  readonly #number: string
  #isMade = false

  constructor(client: PostgresClient, table: Table, name: string) {
    this.#client = client
    this.#table = table
    this.#name = `pg_temp.${name}`
    this.#refused = `pg_temp.${name}_refused`
    let number = '_number'
    while (table.columns.some((column) => column.name === number)) number = `_${number}`
    this.#number = quoteName(number)
  }

  /** A transaction has begun: the tables do not exist any more. */
  forget(): void {
    this.#isMade = false
  }

  /**
   * Takes rows, each preceded by its number, and inserts them into the table; returns the server's error if one is
   * rejected.
   */
  async merge(rows: Uint8Array): Promise<unknown> {
    if (!this.#isMade) await this.#make()
    const copy = `copy ${this.#name} (${this.#number}, ${this.#names.join(', ')}) from stdin (format binary)`
    try {
      await this.#client.copy(`truncate ${this.#name}; ${SAVEPOINT}; ${copy}; ${this.#mergeSql()}; ${KEEP}`, rows)
      return undefined
    } catch (error) {
      if (errorKind(error) !== 'row') throw error
      await this.#client.query(UNDO)
      return error
    }
  }

  /** Takes rows as `merge` does, and inserts them one by one; returns the rejected ones. */
  async sort(rows: Uint8Array): Promise<readonly RefusedRow[]> {
    if (!this.#isMade) await this.#make()
    const copy = `copy ${this.#name} (${this.#number}, ${this.#names.join(', ')}) from stdin (format binary)`
    await this.#client.copy(`truncate ${this.#name}, ${this.#refused}; ${copy}; ${this.#sortSql()}`, rows)
    const { rows: refused } = await this.#client.query(`select * from ${this.#refused} order by number`)
    return refused.map(({ number, state, said, constraint_name: constraint, column_name: column }) => {
      const error = Object.assign(new Error(said), { code: state, severity: 'ERROR', ...shown({ constraint, column }) })
      if (errorKind(error) !== 'row') throw error
      return { number, error }
    })
  }

  async #make(): Promise<void> {
    const { sql, columns } = this.#table
    const fields = columns.map(({ name, codec, base }) => {
      return codec.isCast ? `null::text as ${quoteName(name)}` : `${quoteName(name)}::${base} as ${quoteName(name)}`
    })
    await this.#client.query(
      `drop table if exists ${this.#name}, ${this.#refused}; create temporary table ${this.#name} on commit drop as ` +
        `select 0::int4 as ${this.#number}, ${fields.join(', ')} from ${sql} with no data; ` +
        `create temporary table ${this.#refused} (number int4, state text, said text, constraint_name text, ` +
        `column_name text) on commit drop`,
    )
    this.#isMade = true
  }

  #mergeSql(): string {
    const { sql, columns, shape } = this.#table
    const all = this.#names.join(', ')
    const key = shape.key?.map(quoteName).join(', ')
    const checks = columns.filter(({ codec }) => codec.isCast).map(({ name }) => this.#isChanged(name, 's'))
    // A division by zero is an error like that of a row: the rows are then checked one by one.
    const check =
      checks.length === 0
        ? ''
        : `select 1 / (not exists (select 1 from ${this.#name} s where ${checks.join(' or ')}))::int; `
    if (key === undefined) return `${check}insert into ${sql} (${all}) select ${this.#values('s')} from ${this.#name} s`
    return (
      `${check}insert into ${sql} (${all}) ` +
      // In the order of the key, so that two loads do not deadlock.
      `select ${this.#values('s')} from (select distinct on (${key}) * from ${this.#name} ` +
      `order by ${key}, ${this.#number} desc) s ${this.#onConflict}`
    )
  }

  #sortSql(): string {
    const { sql, columns } = this.#table
    const checks = columns
      .filter(({ codec }) => codec.isCast)
      .map(({ name, declared }) => {
        const words = literal(`column ${name} would come back as %`)
        const back = `r.${quoteName(name)}::${declared}::text`
        return `if ${this.#isChanged(name, 'r')} then raise exception ${words}, ${back} using errcode = '22000'; end if;`
      })
    return `do ${literal(`#variable_conflict use_column
      declare r record; sluice_state text; sluice_said text; sluice_constraint text; sluice_column text;
      begin
        for r in select * from ${this.#name} order by ${this.#number} loop
          begin
            ${checks.join('\n')}
            insert into ${sql} (${this.#names.join(', ')}) values (${this.#values('r')}) ${this.#onConflict};
          exception when others then
            get stacked diagnostics sluice_state = returned_sqlstate, sluice_said = message_text,
              sluice_constraint = constraint_name, sluice_column = column_name;
            insert into ${this.#refused} values
              (r.${this.#number}, sluice_state, sluice_said, sluice_constraint, sluice_column);
          end;
        end loop;
      end`)}`
  }

  get #names(): readonly string[] {
    return this.#table.columns.map(({ name }) => quoteName(name))
  }

  #values(row: string): string {
    return this.#table.columns
      .map(({ name, codec, declared }) => `${row}.${quoteName(name)}${codec.isCast ? `::${declared}` : ''}`)
      .join(', ')
  }

  #isChanged(name: string, row: string): string {
    const { declared } = this.#table.columns.find((column) => column.name === name) as Table['columns'][number]
    return `${row}.${quoteName(name)}::${declared}::text is distinct from ${row}.${quoteName(name)}`
  }

  get #onConflict(): string {
    const { columns, shape } = this.#table
    if (shape.key === undefined) return ''
    const names = columns.map(({ name }) => name)
    return onConflict(names, shape.key)
  }
}

/** The error code of an existing key. */
export function isDuplicate(error: unknown): boolean {
  return sqlStateOf(error) === '23505'
}

/** The server returns an empty text for what it does not name. */
function shown(names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).filter(([, name]) => name !== ''))
}
