// SQLite's description of a table.

import type { FoundColumn as Column, FoundTable as Found } from '../../kits/sql/table.ts'
import { all, type Work } from '../../kits/store/work.ts'

/** A column's affinity, which converts what is stored in it: SQLite derives it from the declared type. */
export type Affinity = 'text' | 'integer' | 'real' | 'numeric' | 'none'

export interface FoundColumn extends Column {
  readonly affinity: Affinity
  /** The declared type of a strict column. */
  readonly strict: string | undefined
}

export interface FoundTable extends Found {
  readonly columns: readonly FoundColumn[]
}

/** A mark in the statement of a table created here; SQLite keeps it with the table. */
export const MARK = '/* made by Sluice */'

// Hidden columns are generated ones and those of virtual tables: nothing can be inserted into them.
const COLUMNS = 'select name, type, "notnull", dflt_value from pragma_table_xinfo(?) where hidden = 0'

const ABOUT = `
  select l.strict, s.sql from pragma_table_list l left join sqlite_schema s on s.type = 'table' and s.name = l.name
  where l.schema = 'main' and lower(l.name) = lower(?)`

/** The columns of the primary key, and those of unique indexes of all rows. */
const KEYS = `
  select '' as key, name from pragma_table_info(?) where pk > 0 union all
  select l.name, i.name from pragma_index_list(?) l, pragma_index_info(l.name) i where l."unique" = 1 and l.partial = 0`

/** A table as it is now; undefined if it does not exist. */
export function* findTable(table: string): Work<FoundTable | undefined> {
  const rows = yield* all(COLUMNS, [table])
  if (rows.length === 0) return undefined
  const [about] = yield* all(ABOUT, [table])
  const keys = new Map<unknown, string[]>()
  for (const { key, name } of yield* all(KEYS, [table, table])) {
    keys.set(key, [...(keys.get(key) ?? []), String(name)])
  }
  const columns = rows.map((row): FoundColumn => {
    const type = String(row.type)
    const isRequired = row.notnull === 1 && row.dflt_value === null
    const strict = about?.strict === 1 ? type.toUpperCase() : undefined
    return { name: String(row.name), affinity: affinityOf(type), strict, isRequired }
  })
  return { columns, isOurs: String(about?.sql).includes(MARK), keys: [...keys.values()] }
}

/** SQLite's own rules, in its order. */
function affinityOf(type: string): Affinity {
  if (/int/i.test(type)) return 'integer'
  if (/char|clob|text/i.test(type)) return 'text'
  if (/blob/i.test(type) || type === '') return 'none'
  return /real|floa|doub/i.test(type) ? 'real' : 'numeric'
}
