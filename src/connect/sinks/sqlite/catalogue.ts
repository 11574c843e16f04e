// What SQLite says of a table.

import type { DatabaseSync } from 'node:sqlite'
import { foldName } from '../../sql/name.ts'

/** How a column changes what is stored in it: SQLite derives it from the declared type. */
export type Affinity = 'text' | 'integer' | 'real' | 'numeric' | 'none'

export interface FoundColumn {
  readonly name: string
  readonly affinity: Affinity
  /** The declared type of a column that takes nothing else. */
  readonly strict: string | undefined
  /** Whether a row without it is refused: it must not be null, and has no default. */
  readonly isRequired: boolean
}

export interface FoundTable {
  readonly columns: readonly FoundColumn[]
  /** Whether this sink made it. */
  readonly isOurs: boolean
}

/** What stands in the statement of a table that was made here; SQLite keeps it with the table. */
export const MARK = '/* made by Sluice */'

/** A table as it is now; undefined if it does not exist. */
export function findTable(database: DatabaseSync, table: string): FoundTable | undefined {
  // Hidden columns are generated ones and those of virtual tables: nothing can be inserted into them.
  const sql = 'select name, type, "notnull", dflt_value from pragma_table_xinfo(?) where hidden = 0'
  const rows = database.prepare(sql).all(table)
  if (rows.length === 0) return undefined
  const about = database
    .prepare(
      `select l.strict, s.sql from pragma_table_list l left join sqlite_schema s on s.type = 'table' and s.name = l.name
       where l.schema = 'main' and lower(l.name) = lower(?)`,
    )
    .get(table)
  const columns = rows.map((row): FoundColumn => {
    const type = String(row.type)
    const isRequired = row.notnull === 1 && row.dflt_value === null
    const strict = about?.strict === 1 ? type.toUpperCase() : undefined
    return { name: String(row.name), affinity: affinityOf(type), strict, isRequired }
  })
  return { columns, isOurs: String(about?.sql).includes(MARK) }
}

/** Whether rows there are told apart by just the columns of the key: SQLite takes no other for overwriting. */
export function hasKey(database: DatabaseSync, table: string, key: readonly string[]): boolean {
  const wanted = key.map(foldName).sort().join('\0')
  const primary = database.prepare('select name from pragma_table_info(?) where pk > 0').all(table)
  const unique = database.prepare('select name from pragma_index_list(?) where "unique" = 1 and partial = 0').all(table)
  const indexed = database.prepare('select name from pragma_index_info(?)')
  const keys = [primary, ...unique.map((index) => indexed.all(String(index.name)))]
  return keys.some((columns) => {
    return (
      columns
        .map((column) => foldName(String(column.name)))
        .sort()
        .join('\0') === wanted
    )
  })
}

/** SQLite's own rules, in its order. */
function affinityOf(type: string): Affinity {
  if (/int/i.test(type)) return 'integer'
  if (/char|clob|text/i.test(type)) return 'text'
  if (/blob/i.test(type) || type === '') return 'none'
  return /real|floa|doub/i.test(type) ? 'real' : 'numeric'
}
