// What is known about tables in a DuckDB file.

import { foldName } from '../../kits/sql/name.ts'
import type { TableColumn as Column, TableOptions, Table as UsedTable } from '../../kits/sql/table.ts'
import type { FoundTable } from './catalogue.ts'
import type { Codec } from './codec.ts'

/** Where tables are, and what may be done to them. */
export interface Place extends TableOptions {
  readonly path: string
  /** The temporary table in which rows are checked before they are inserted. */
  readonly stage: string
}

export interface TableColumn extends Column {
  readonly type: string
  readonly codec: Codec
}

export type Table = UsedTable<FoundTable, TableColumn>

/** The table's unique constraints, besides the key that rows are overwritten by. */
export function otherKeys({ found, shape }: Table): FoundTable['constraints']['unique'] {
  const key = shape.key?.map(foldName)
  return found.constraints.unique.filter(({ columns }) => {
    return key === undefined || columns.length !== key.length || !columns.every((name) => key.includes(foldName(name)))
  })
}

/** Whether rows must be compared with existing ones: the table requires more than no nulls and its key. */
export function mayRefuse(table: Table): boolean {
  const { columns, found } = table
  return found.constraints.checks.length > 0 || otherKeys(table).length > 0 || columns.some(({ codec }) => codec.isCast)
}
