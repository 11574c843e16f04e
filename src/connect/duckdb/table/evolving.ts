// Changes a table so that rows fit: adds columns, and widens the types of existing ones.

import type { ColumnType } from '../../column.ts'
import type { Changes } from '../../kits/sql/evolve.ts'
import { foldName, quoteName } from '../../kits/sql/name.ts'
import { addColumn, createTable } from '../../kits/sql/table.ts'
import { all, run, type Work } from '../../kits/store/work.ts'
import { DECLARED } from './codec.ts'
import type { Table, TableColumn } from './table.ts'

const OLD = 'sluice_old'

/**
 * Makes the changes in the current transaction; returns one line for each.
 *
 * @param isOverwritten - whether rows of the table were overwritten in it: DuckDB then commits no changes to the table
 *   itself, so it is created again with its rows
 */
export function* makeChanges(
  table: Table,
  { added, widened }: Changes,
  isOverwritten: boolean,
): Work<readonly string[]> {
  const wider = yield* exactTypes(table, widened)
  if (wider.size > 0 || (isOverwritten && added.size > 0)) yield* makeAgain(table, added, wider)
  else for (const [name, type] of added) yield* run(addColumn(table.sql, name, DECLARED[type]))
  return [
    ...[...added].map(([name, type]) => `added column ${name} ${type}`),
    ...[...wider].map(([{ name, type }, to]) => `made column ${name} ${to}, formerly ${type}`),
  ]
}

/** Existing integers that the wider type cannot hold must become text. */
function* exactTypes({ sql, columns }: Table, widened: Changes['widened']): Work<ReadonlyMap<TableColumn, ColumnType>> {
  const types = new Map<TableColumn, ColumnType>()
  for (const [name, to] of widened) {
    const column = columns.find((one) => one.name === name)
    if (column === undefined || DECLARED[to] === column.type) continue
    const quoted = quoteName(name)
    const back = `try_cast(try_cast(${quoted} as ${DECLARED[to]}) as ${column.type})`
    const isNumber = to === 'real' || to === 'decimal'
    const inexact = isNumber ? yield* all(`select 1 from ${sql} where ${back} is distinct from ${quoted} limit 1`) : []
    types.set(column, inexact.length > 0 ? 'text' : to)
  }
  return types
}

function* makeAgain(
  { sql: table, shape, found }: Table,
  added: Changes['added'],
  widened: ReadonlyMap<TableColumn, ColumnType>,
): Work<void> {
  const wider = new Map([...widened].map(([column, to]) => [foldName(column.name), { column, to }]))
  const types = found.columns.map(({ name, type }): [string, string] => {
    const to = wider.get(foldName(name))?.to
    return [name, to === undefined ? type : DECLARED[to]]
  })
  yield* run(`create or replace temp table ${OLD} as select * from ${table}`)
  yield* run(`drop table ${table}`)
  if (found.isOurs) yield* createTable(table, shape, types)
  else {
    yield* run(found.sql)
    for (const { column, to } of wider.values()) {
      yield* run(`alter table ${table} alter column ${quoteName(column.name)} type ${DECLARED[to]}`)
    }
  }
  for (const [name, type] of added) yield* run(addColumn(table, name, DECLARED[type]))
  const names = found.columns.map(({ name }) => quoteName(name)).join(', ')
  const values = found.columns.map(({ name }) => {
    const change = wider.get(foldName(name))
    return change === undefined ? quoteName(name) : converted(quoteName(name), change.column, change.to)
  })
  yield* run(`insert into ${table} (${names}) select ${values.join(', ')} from ${OLD}`)
  yield* run(`drop table ${OLD}`)
  for (const index of found.indexes) yield* run(index)
}

/** The existing values as another type, written as the sink writes its own. */
function converted(column: string, { codec, type }: TableColumn, to: ColumnType): string {
  const plain = `${column}::${DECLARED[to]}`
  if (to !== 'text' || type === 'DATE') return plain
  if (codec.like === 'real') {
    return (
      `case when isnan(${column}) then 'NaN' when isinf(${column}) then if(${column} > 0, 'Infinity', '-Infinity') ` +
      `when ${column} = trunc(${column}) and abs(${column}) < 9007199254740992 then ${column}::bigint::varchar else ${plain} end`
    )
  }
  if (codec.like !== 'time') return plain
  const iso = (fraction: string): string => `strftime(${column}::timestamp, '%Y-%m-%dT%H:%M:%S.${fraction}Z')`
  const isFiner = `epoch_us(${column}::timestamp) % 1000 <> 0`
  return `case when not isfinite(${column}) then ${plain} when ${isFiner} then ${iso('%f')} else ${iso('%g')} end`
}
