// Changes a table so that rows fit into it: adds columns, and widens the types of those that are there.

import type { ColumnType } from '../../column.ts'
import type { Session } from '../../duckdb/session.ts'
import type { Changes } from '../../sql/evolve.ts'
import { foldName, quoteName } from '../../sql/name.ts'
import { DECLARED } from './codec.ts'
import { addColumn, create, type Table, type TableColumn } from './table.ts'

const OLD = 'sluice_old'

/**
 * Makes the changes in the transaction at hand; gives a line for each.
 *
 * @param isTouched - whether rows of the table were overwritten in it: DuckDB then commits no change of the table itself,
 *   which is therefore made again, with the rows that are there
 */
export async function makeChanges(
  session: Session,
  table: Table,
  { added, widened }: Changes,
  isTouched: boolean,
): Promise<readonly string[]> {
  const wider = await exactTypes(session, table, widened)
  const more = distinct(added)
  if (wider.size > 0 || (isTouched && more.size > 0)) await makeAgain(session, table, more, wider)
  else for (const [name, type] of more) await session.run(addColumn(table.shape, name, type))
  return [
    ...[...more].map(([name, type]) => `added column ${name} ${type}`),
    ...[...wider].map(([{ name, type }, to]) => `made column ${name} ${to}, which was ${type}`),
  ]
}

/** Whole numbers that are there and that the wider type does not hold have to become text. */
async function exactTypes(
  session: Session,
  { shape, columns }: Table,
  widened: Changes['widened'],
): Promise<ReadonlyMap<TableColumn, ColumnType>> {
  const types = new Map<TableColumn, ColumnType>()
  for (const [name, to] of widened) {
    const column = columns.find((one) => one.name === name)
    if (column === undefined || DECLARED[to] === column.type) continue
    const quoted = quoteName(name)
    const back = `try_cast(try_cast(${quoted} as ${DECLARED[to]}) as ${column.type})`
    const isNumber = to === 'real' || to === 'decimal'
    const inexact = isNumber
      ? await session.all(`select 1 from ${quoteName(shape.table)} where ${back} is distinct from ${quoted} limit 1`)
      : []
    types.set(column, inexact.length > 0 ? 'text' : to)
  }
  return types
}

async function makeAgain(
  session: Session,
  { shape, found }: Table,
  added: ReadonlyMap<string, ColumnType>,
  widened: ReadonlyMap<TableColumn, ColumnType>,
): Promise<void> {
  const table = quoteName(shape.table)
  const wider = new Map([...widened].map(([column, to]) => [foldName(column.name), { column, to }]))
  const types = found.columns.map(({ name, type }): [string, string] => {
    const to = wider.get(foldName(name))?.to
    return [name, to === undefined ? type : DECLARED[to]]
  })
  await session.run(`create or replace temp table ${OLD} as select * from ${table}`)
  await session.run(`drop table ${table}`)
  if (found.isOurs) await create(session, shape, new Map(types))
  else {
    await session.run(found.sql)
    for (const { column, to } of wider.values()) {
      await session.run(`alter table ${table} alter column ${quoteName(column.name)} type ${DECLARED[to]}`)
    }
  }
  for (const [name, type] of added) await session.run(addColumn(shape, name, type))
  const names = found.columns.map(({ name }) => quoteName(name)).join(', ')
  const values = found.columns.map(({ name }) => {
    const change = wider.get(foldName(name))
    return change === undefined ? quoteName(name) : converted(quoteName(name), change.column, change.to)
  })
  await session.run(`insert into ${table} (${names}) select ${values.join(', ')} from ${OLD}`)
  await session.run(`drop table ${OLD}`)
  for (const index of found.indexes) await session.run(index)
}

/** The values that are there as values of another type, written as the sink writes values of their own. */
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

/** Columns whose names differ by more than case: to DuckDB they are else one. */
function distinct(added: Changes['added']): ReadonlyMap<string, ColumnType> {
  const seen = new Set<string>()
  return new Map(
    [...added].filter(([name]) => {
      const isNew = !seen.has(foldName(name))
      seen.add(foldName(name))
      return isNew
    }),
  )
}
