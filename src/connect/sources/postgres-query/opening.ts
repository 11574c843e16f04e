// A query that is to be read, with everything that its options say.

import type { Columns } from '../../column.ts'
import type { PostgresConnection } from '../../postgres/connection.ts'
import type { LookBack } from '../../rows/look-back.ts'
import type { ValueChoices } from './parse.ts'

export interface QueryOpening {
  readonly connection: string | PostgresConnection
  /** The server and database, for errors: never with a password. */
  readonly server: string
  readonly source: string
  /** Either a table, perhaps with its schema, or a query. */
  readonly table: string | undefined
  readonly schema: string | undefined
  readonly query: string | undefined
  readonly cursor: readonly string[]
  readonly lookBack: LookBack | undefined
  readonly columns: Columns | undefined
  readonly choices: ValueChoices
  readonly fetch: number
  readonly timeoutMs: number
  /** How long the server may be gone, in clock milliseconds. */
  readonly retryMs: number
}
