// DuckDB's statements, for the code shared by all SQL databases.

import type { DuckDBValue } from '@duckdb/node-api'
import { storable } from '../../kits/sql/storable.ts'
import { ensureTable } from '../../kits/sql/table.ts'
import { OF_A_FILE, type SqlDialect } from '../../kits/store/dialect.ts'
import { type Answer, plainRow, runAsync, type SqlValue, type Statement, type Work } from '../../kits/store/work.ts'
import type { Duckdb } from '../client.ts'
import type { Session } from '../connection.ts'
import { duckdbTables } from './tables.ts'

export function doWork<T>(session: Session, work: Work<T>): Promise<T> {
  return runAsync(work, (statement) => execute(session, statement))
}

async function execute(session: Session, { sql, values, isQuery }: Statement): Promise<Answer> {
  const bound = values.length === 0 ? undefined : values.map((value) => bindable(session.duckdb, value))
  if (isQuery) return { rows: (await session.all(sql, bound)).map(plainRow), changes: 0 }
  return { rows: [], changes: await session.run(sql, bound) }
}

export function duckdbDialect(path: string): SqlDialect {
  return {
    ...OF_A_FILE,
    parameter: (number) => `$${number}`,
    tables: `select lower(table_name) as name from duckdb_tables() where schema_name = 'main' and not internal
      and not temporary and database_name = current_database()`,
    types: { bytes: 'blob', time: 'bigint' },
    letterMillis: (column) => `epoch_ms(${column})`,
    storable,
    makeTable: (shape) => ensureTable(duckdbTables({ path }), shape),
  }
}

function bindable({ DuckDBBlobValue }: Duckdb, value: SqlValue): DuckDBValue {
  if (typeof value === 'number') return BigInt(value)
  return value instanceof Uint8Array ? new DuckDBBlobValue(value) : value
}
