// Changes a table so that rows fit into it: adds columns, and widens the types of those that are there.

import type { ColumnType } from '../../column.ts'
import type { PostgresClient } from '../../postgres/client.ts'
import { troubleKind } from '../../postgres/trouble.ts'
import { type Changes, changesFor } from '../../sql/evolve.ts'
import { quoteName } from '../../sql/name.ts'
import { Output } from './output.ts'
import { isKept } from './shape.ts'
import { addColumn, DECLARED, type Table, type TableColumn } from './table.ts'

/** What a table has to become for rows, in their transaction. */
export function changesOf(rows: Iterable<unknown>, { columns, names }: Table): Changes {
  const used = new Map(columns.map((column) => [column.name, column]))
  const scratch = new Output()
  const changes = changesFor(
    rows,
    (name) => {
      const codec = used.get(name)?.codec
      // One of the table's that no row had yet is looked at once it is used.
      if (codec === undefined) return names.has(name) || !isKept(name) ? FITS : undefined
      return {
        like: codec.like,
        takes(value) {
          scratch.clear()
          return codec.write(scratch, value)
        },
      }
    },
    names.size,
  )
  return changes
}

const FITS = { like: undefined, takes: () => true }

/** Makes the changes; gives a line for each that was made. What the server does not allow is left as it is. */
export async function makeChanges(client: PostgresClient, table: Table, changes: Changes): Promise<readonly string[]> {
  const notes: string[] = []
  for (const [name, type] of changes.added) {
    if (await attempt(client, addColumn(table.sql, name, type))) notes.push(`added column ${name} ${type}`)
  }
  for (const [name, type] of changes.widened) {
    const column = table.columns.find((one) => one.name === name)
    if (column === undefined) continue
    const to = await exactType(client, table, column, type)
    if (DECLARED[to] === column.declared) continue
    const sql = `alter table ${table.sql} alter ${quoteName(name)} type ${DECLARED[to]} using ${converted(column, to)}`
    if (await attempt(client, sql)) notes.push(`made column ${name} ${to}, which was ${column.declared}`)
  }
  return notes
}

/** Whole numbers that are there and that floating point does not hold have to become text. */
async function exactType(
  client: PostgresClient,
  table: Table,
  { name, codec }: TableColumn,
  to: ColumnType,
): Promise<ColumnType> {
  if (to !== 'real' || codec.like !== 'integer') return to
  const column = quoteName(name)
  const { rows } = await client.query(
    `select exists (select 1 from ${table.sql} where ${column}::float8::numeric <> ${column}) as inexact`,
  )
  return rows[0]?.inexact === true ? 'text' : to
}

/** The values that are there as values of another type, written as the sink writes values of their own. */
function converted({ name, codec, base }: TableColumn, to: ColumnType): string {
  const column = quoteName(name)
  if (to !== 'text') return `${column}::${DECLARED[to]}`
  if (codec.like === 'real') return `${column}::text::numeric::text`
  if (codec.like !== 'time' || base === 'date') return `${column}::text`
  const utc = base.includes('with time zone') ? `${column} at time zone 'UTC'` : column
  const iso = `regexp_replace(to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US'), '(\\.\\d{3})000$', '\\1') || 'Z'`
  return `case when isfinite(${column}) then ${iso} else ${column}::text end`
}

async function attempt(client: PostgresClient, sql: string): Promise<boolean> {
  try {
    await client.query(`savepoint sluice_change; ${sql}; release savepoint sluice_change`)
    return true
  } catch (error) {
    const kind = troubleKind(error)
    if (kind !== 'row' && kind !== 'unfit') throw error
    await client.query('rollback to savepoint sluice_change; release savepoint sluice_change')
    return false
  }
}
