// The server's catalogue entries of a table.

import { type FoundColumn as Column, type FoundTable as Found, MARK } from '../../kits/sql/table.ts'
import { all, type SqlRow, type Work } from '../../kits/store/work.ts'

export interface FoundColumn extends Column {
  /** The type of its values, below all domains: `int4`. */
  readonly type: string
  /** The type modifier, as the server stores it; −1 for no modifier. */
  readonly modifier: number
  /** The declared type, for people. */
  readonly declared: string
  /** The type below all domains, without its modifier, in SQL. */
  readonly base: string
  readonly isGenerated: boolean
  /** For an array, the type of its elements. */
  readonly element?: { readonly type: string; readonly oid: number } | undefined
  /** The labels of an enum, or of an array of one. */
  readonly labels?: readonly string[] | undefined
}

export interface FoundTable extends Found {
  /** The server's letter for its kind: `r` for a table, `p` for a partitioned one. */
  readonly kind: string
  /** The server's letter for its persistence: `u` for an unlogged one, which a crash empties. */
  readonly persistence: string
  readonly columns: readonly FoundColumn[]
}

const TABLE = `
  select c.oid::text as oid, c.relkind::text as kind, c.relpersistence::text as persistence,
    coalesce(pg_catalog.obj_description(c.oid, 'pg_class') = '${MARK}', false) as ours
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2`

const COLUMNS = `
  with recursive typed as (
    select a.attnum, a.attname, a.atttypid as typid, a.atttypmod as modifier, 0 as depth,
      pg_catalog.format_type(a.atttypid, a.atttypmod) as declared,
      (a.attgenerated <> '' or a.attidentity = 'a') as generated,
      (a.attnotnull and not a.atthasdef and a.attidentity = '') as required
    from pg_catalog.pg_attribute a
    where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
    union all
    select typed.attnum, typed.attname, t.typbasetype, case when typed.modifier = -1 then t.typtypmod else typed.modifier end,
      typed.depth + 1, typed.declared, typed.generated, typed.required and t.typdefault is null
    from typed join pg_catalog.pg_type t on t.oid = typed.typid where t.typtype = 'd'
  )
  select distinct on (typed.attnum) typed.attname as name, t.typname as type,
    typed.modifier, typed.declared, pg_catalog.format_type(t.oid, -1) as base, typed.generated, typed.required,
    e.typname as element, e.oid::int8::float8 as element_oid,
    (select array_agg(l.enumlabel::text) from pg_catalog.pg_enum l where l.enumtypid = coalesce(e.oid, t.oid)) as labels
  from typed join pg_catalog.pg_type t on t.oid = typed.typid
  left join pg_catalog.pg_type e on t.typcategory = 'A' and t.typlen = -1 and e.oid = t.typelem
  order by typed.attnum, typed.depth desc`

const KEYS = `
  select array_agg(a.attname::text order by a.attname) as key
  from pg_catalog.pg_index i
  cross join lateral unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
  join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = $1::oid and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null
    and i.indexprs is null and k.place <= i.indnkeyatts
  group by i.indexrelid order by 1`

/** The names of all schemas. */
export function* schemasOf(): Work<readonly string[]> {
  return (yield* all('select nspname::text as name from pg_catalog.pg_namespace')).map(({ name }) => String(name))
}

/** A table as it is now; undefined if it does not exist. */
export function* findTable(schema: string, name: string): Work<FoundTable | undefined> {
  const [table] = yield* all(TABLE, [schema, name])
  if (table === undefined) return undefined
  const {
    oid,
    kind,
    persistence,
    ours: isOurs,
  } = table as unknown as {
    readonly oid: string
    readonly kind: string
    readonly persistence: string
    readonly ours: boolean
  }
  const columns = (yield* all(COLUMNS, [oid])).map(columnOf)
  // The columns of every unique index that is checked immediately, sorted.
  const keys = (yield* all(KEYS, [oid])).map(({ key }) => key as readonly string[])
  return { kind, persistence, isOurs, columns, keys }
}

function columnOf(row: SqlRow): FoundColumn {
  const { name, type, modifier, declared, base, generated: isGenerated, required: isRequired } = row
  const element = row.element === null ? undefined : { type: row.element, oid: row.element_oid }
  const labels = row.labels ?? undefined
  return { name, type, modifier, declared, base, isGenerated, isRequired, element, labels } as unknown as FoundColumn
}
