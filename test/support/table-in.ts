// A table of whichever database a test names: a file, or a server.

import { type Sink, sqliteSink } from 'sluice'
import { postgresSink } from 'sluice/postgres'

export function tableIn<const Key extends string>(
  database: string,
  table: string,
  key: readonly Key[],
): Sink<Readonly<Record<Key, unknown>>> {
  return database.startsWith('postgres:')
    ? postgresSink(database, { table, key })
    : sqliteSink(database, { table, key })
}
