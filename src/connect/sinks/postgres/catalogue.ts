// What the server's catalogue says of a table.

import type { PostgresClient } from '../../postgres/client.ts'

export interface FoundColumn {
  readonly name: string
  /** The type that its values have, below all domains: `int4`. */
  readonly type: string
  readonly isEnum: boolean
  /** What the type was made with, as the server keeps it; −1 for nothing. */
  readonly modifier: number
  /** The type as it was declared, for a person. */
  readonly declared: string
  /** Whether the server alone gives it values. */
  readonly isGenerated: boolean
}

export interface FoundTable {
  /** The server's letter for what it is: `r` for a table, `p` for one of partitions. */
  readonly kind: string
  /** The server's letter for how it is kept: `u` for one that a crash empties. */
  readonly persistence: string
  readonly columns: readonly FoundColumn[]
  /** The columns of every index that tells rows apart at once, sorted. */
  readonly keys: readonly (readonly string[])[]
}

const TABLE = `
  select c.oid::text as oid, c.relkind::text as kind, c.relpersistence::text as persistence
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2`

const COLUMNS = `
  with recursive typed as (
    select a.attnum, a.attname, a.atttypid as typid, a.atttypmod as modifier, 0 as depth,
      pg_catalog.format_type(a.atttypid, a.atttypmod) as declared,
      (a.attgenerated <> '' or a.attidentity = 'a') as generated
    from pg_catalog.pg_attribute a
    where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
    union all
    select typed.attnum, typed.attname, t.typbasetype, t.typtypmod, typed.depth + 1, typed.declared, typed.generated
    from typed join pg_catalog.pg_type t on t.oid = typed.typid where t.typtype = 'd'
  )
  select distinct on (typed.attnum) typed.attname as name, t.typname as type, t.typtype = 'e' as enum,
    typed.modifier, typed.declared, typed.generated
  from typed join pg_catalog.pg_type t on t.oid = typed.typid
  order by typed.attnum, typed.depth desc`

const KEYS = `
  select array_agg(a.attname::text order by a.attname) as key
  from pg_catalog.pg_index i
  cross join lateral unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
  join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = $1::oid and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null
    and i.indexprs is null and k.place <= i.indnkeyatts
  group by i.indexrelid order by 1`

/** The schema that tables without one are made in; undefined where there is none. */
export async function currentSchema(client: PostgresClient): Promise<string | undefined> {
  const { rows } = await client.query('select current_schema()::text as name')
  return rows[0]?.name ?? undefined
}

/** Which of some tables are there. */
export async function tablesOf(
  client: PostgresClient,
  schema: string,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query(
    `select c.relname::text as name from pg_catalog.pg_class c
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = any($2::text[])`,
    [schema, names],
  )
  return new Set(rows.map(({ name }) => name))
}

/** A table as it is now; undefined if there is none. */
export async function findTable(client: PostgresClient, schema: string, name: string): Promise<FoundTable | undefined> {
  const [table] = (await client.query(TABLE, [schema, name])).rows
  if (table === undefined) return undefined
  const columns = await client.query(COLUMNS, [table.oid])
  const keys = await client.query(KEYS, [table.oid])
  return {
    kind: table.kind,
    persistence: table.persistence,
    columns: columns.rows.map(({ name, type, enum: isEnum, modifier, declared, generated: isGenerated }) => {
      return { name, type, isEnum, modifier, declared, isGenerated }
    }),
    keys: keys.rows.map(({ key }) => key),
  }
}
