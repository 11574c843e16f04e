// A query to read, with everything that its options say.

import type { Columns } from '../../column.ts'
import type { QueryToRead } from '../../kits/sql/query-source.ts'
import type { PostgresConnection } from '../connection.ts'
import type { ValueChoices } from './parse.ts'

export interface QueryOpening extends QueryToRead {
  readonly connection: string | PostgresConnection
  /** The server and database, for errors: never with a password. */
  readonly server: string
  readonly columns: Columns | undefined
  readonly choices: ValueChoices
  readonly fetch: number
  readonly timeoutMs: number
}
