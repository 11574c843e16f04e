// Changes a table so that rows fit: adds columns, and widens the types of existing ones.

import type { ColumnType } from '../../column.ts'
import type { Changes } from '../../kits/sql/evolve.ts'
import { quoteName } from '../../kits/sql/name.ts'
import { addColumn } from '../../kits/sql/table.ts'
import { all, run, type Work } from '../../kits/store/work.ts'
import { errorKind } from '../errors.ts'
import { DECLARED, type Table, type TableColumn } from './table.ts'

/** Makes the changes; returns one line for each. What the server does not allow is left as it is. */
export function* makeChanges(table: Table, { added, widened }: Changes): Work<readonly string[]> {
  const notes: string[] = []
  for (const [name, type] of added) {
    if (yield* attempt(addColumn(table.sql, name, DECLARED[type]))) notes.push(`added column ${name} ${type}`)
  }
  for (const [name, type] of widened) {
    const column = table.columns.find((one) => one.name === name)
    if (column === undefined) continue
    const to = yield* exactType(table, column, type)
    if (DECLARED[to] === column.declared) continue
    const sql = `alter table ${table.sql} alter ${quoteName(name)} type ${DECLARED[to]} using ${converted(column, to)}`
    if (yield* attempt(sql)) notes.push(`made column ${name} ${to}, formerly ${column.declared}`)
  }
  return notes
}

/** Runs a statement; false if the server rejects it, which leaves the transaction as it was. */
export function* attempt(sql: string): Work<boolean> {
  yield* run('savepoint sluice_change')
  try {
    yield* run(sql)
    yield* run('release savepoint sluice_change')
    return true
  } catch (error) {
    const kind = errorKind(error)
    if (kind !== 'row' && kind !== 'unfit') throw error
    yield* run('rollback to savepoint sluice_change; release savepoint sluice_change')
    return false
  }
}

/** Existing integers that floating point cannot hold must become text. */
function* exactType(table: Table, { name, codec }: TableColumn, to: ColumnType): Work<ColumnType> {
  if (to !== 'real' || codec.like !== 'integer') return to
  const column = quoteName(name)
  const inexact = `select exists (select 1 from ${table.sql} where ${column}::float8::numeric <> ${column}) as inexact`
  return (yield* all(inexact))[0]?.inexact === true ? 'text' : to
}

/** The existing values as another type, written as the sink writes its own. */
function converted({ name, codec, base }: TableColumn, to: ColumnType): string {
  const column = quoteName(name)
  if (to !== 'text') return `${column}::${DECLARED[to]}`
  if (codec.like === 'real') return `${column}::text::numeric::text`
  if (codec.like !== 'time' || base === 'date') return `${column}::text`
  const utc = base.includes('with time zone') ? `${column} at time zone 'UTC'` : column
  const iso = `regexp_replace(to_char(${utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US'), '(\\.\\d{3})000$', '\\1') || 'Z'`
  return `case when isfinite(${column}) then ${iso} else ${column}::text end`
}
