// What is known about tables in a PostgreSQL database.

import type { SluiceError } from '../../../base/errors.ts'
import type { ColumnType } from '../../column.ts'
import { quoteName } from '../../kits/sql/name.ts'
import {
  type TableColumn as Column,
  type TableOptions,
  type Table as UsedTable,
  unfitTable,
} from '../../kits/sql/table.ts'
import type { FoundTable } from './catalogue.ts'
import type { Codec } from './codec.ts'

/** Where a table is, and what may be done to it. */
export interface Place extends TableOptions {
  /** The server and database, for errors. */
  readonly sink: string
  readonly schema: string
  /** Whether a missing table is created. */
  readonly create: boolean
}

/** A column that rows go into, and how. */
export interface TableColumn extends Column {
  readonly codec: Codec
  /** Its type in SQL, as it is declared. */
  readonly declared: string
  /** That type without its modifier, and without the constraints of a domain. */
  readonly base: string
}

export type Table = UsedTable<FoundTable, TableColumn>

/** Types of created columns. */
export const DECLARED: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  integer: 'bigint',
  real: 'double precision',
  decimal: 'numeric',
  boolean: 'boolean',
  time: 'timestamp with time zone',
  json: 'jsonb',
  bytes: 'bytea',
}

/** Schema and name as SQL. */
export function sqlName(schema: string, table: string): string {
  return `${quoteName(schema)}.${quoteName(table)}`
}

/** The error for an existing table that does not fit. */
export function unfit(sink: string, table: string, found: string): SluiceError<'SINK_MISMATCH'> {
  return unfitTable(`in ${sink}`, sink, table, found)
}
