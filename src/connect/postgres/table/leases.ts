// Sessions of PostgreSQL: holders of leases may also hold locks.

import type { SqlDialect } from '../../kits/store/dialect.ts'
import { attempt } from './evolving.ts'
import { literal } from './literal.ts'

/** Distinguished from a later one of the same number. */
const SESSION = `pid || '@' || extract(epoch from backend_start)`
const OWN = `(select ${SESSION} from pg_catalog.pg_stat_activity where pid = pg_catalog.pg_backend_pid())`

/**
 * @param isPooled - whether sessions are shared with others: ending one would end somebody else's work
 */
export function sessionOf(isPooled: boolean): NonNullable<SqlDialect['session']> {
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
