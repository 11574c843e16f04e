// PostgreSQL's statements, for the code shared by all SQL databases.

import { storable } from '../../kits/sql/storable.ts'
import { ensureTable } from '../../kits/sql/table.ts'
import { upsert } from '../../kits/sql/upsert.ts'
import type { SqlDialect } from '../../kits/store/dialect.ts'
import { type Answer, all, run, runAsync, type Statement, type Work } from '../../kits/store/work.ts'
import type { PostgresClient } from '../client.ts'
import { attempt } from './evolving.ts'
import { literal } from './literal.ts'
import { RULES } from './names.ts'
import { type Place, sqlName } from './table.ts'
import { postgresTables } from './tables.ts'

export function doWork<T>(client: PostgresClient, work: Work<T>): Promise<T> {
  return runAsync(work, (statement) => execute(client, statement))
}

async function execute(client: PostgresClient, { sql, values }: Statement): Promise<Answer> {
  const { rows, rowCount } = await client.query(sql, values.length === 0 ? undefined : values)
  return { rows, changes: rowCount ?? 0 }
}

/** How long locks of other instances are waited for. */
const LOCK_MS = 5000

/**
 * All times are the server's: instances on several machines share it.
 *
 * @param isPooled - whether sessions of the server are shared with others, one transaction each
 */
export function postgresDialect(place: Place, isPooled: boolean): SqlDialect {
  const { schema } = place
  const tables = postgresTables(place)
  return {
    parameter: (number) => `$${number}`,
    table: (name) => sqlName(schema, name),
    tables: `select c.relname::text as name from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = ${literal(schema)}`,
    fold: RULES.fold,
    types: { bytes: 'bytea', time: 'timestamp with time zone' },
    session: sessionOf(isPooled),
    now: () => 'clock_timestamp()',
    millis: (column) => `(extract(epoch from ${column}) * 1000)::float8`,
    letterMillis: (column) => `floor(extract(epoch from ${column}) * 1000)::float8`,
    storable,
    forUpdate: 'for update',
    upsert,
    *lockTables() {
      if (!place.create)
        throw tables.unfit(
          'sluice_leases',
          `it, or another table of checkpoints, is missing from schema ${schema}, or was made by an earlier Sluice`,
        )
      yield* tables.lock()
    },
    *alone(pipeline) {
      yield* run(`set local lock_timeout = ${LOCK_MS}`)
      yield* all('select pg_catalog.pg_advisory_xact_lock(723683754, pg_catalog.hashtext($1))', [pipeline])
    },
    makeTable: (shape) => ensureTable(tables, shape),
  }
}

/** The schema in which unqualified tables are created; undefined if the search path has no schema. */
export function* currentSchema(): Work<string | undefined> {
  const [row] = yield* all('select current_schema()::text as name')
  return typeof row?.name === 'string' ? row.name : undefined
}

/** Distinguished from a later one of the same number. */
const SESSION = `pid || '@' || extract(epoch from backend_start)`
const OWN = `(select ${SESSION} from pg_catalog.pg_stat_activity where pid = pg_catalog.pg_backend_pid())`

/**
 * @param isPooled - whether sessions are shared with others: ending one would end somebody else's work
 */
function sessionOf(isPooled: boolean): NonNullable<SqlDialect['session']> {
  return {
    own: isPooled ? 'null' : OWN,
    // Another role's session cannot be ended: its locks are waited for.
    *end(session) {
      if (typeof session !== 'string') return
      yield* attempt(`select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
        where ${SESSION} = ${literal(session)} and pid <> pg_catalog.pg_backend_pid()`)
    },
  }
}
