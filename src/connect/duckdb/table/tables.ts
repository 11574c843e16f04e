// Tables in a DuckDB file, for writing rows.

import { foldName, quoteName } from '../../kits/sql/name.ts'
import { FOLDED } from '../../kits/sql/shape.ts'
import { addColumn, type ColumnUse, createTable, type Tables, unfitTable } from '../../kits/sql/table.ts'
import { run } from '../../kits/store/work.ts'
import { type FoundColumn, type FoundTable, findTable } from './catalogue.ts'
import { codecOf, DECLARED } from './codec.ts'
import { makeChanges } from './evolving.ts'
import type { Place, TableColumn } from './table.ts'

/**
 * @param isOverwritten - whether existing rows were overwritten in the current transaction
 */
export function duckdbTables(
  { path, mode, onNote }: Omit<Place, 'stage'>,
  isOverwritten = false,
): Tables<FoundTable, TableColumn> {
  return {
    mode,
    onNote,
    rules: FOLDED,
    sqlName: quoteName,
    find: findTable,
    *lock() {},
    *create(shape, columns) {
      const types = columns.map(({ name, type = 'text' }) => [name, DECLARED[type]] as const)
      yield* createTable(quoteName(shape.table), shape, types)
    },
    *add({ table }, name, type) {
      yield* run(addColumn(quoteName(table), name, DECLARED[type]))
    },
    change: (table, changes) => makeChanges(table, changes, isOverwritten),
    use: useColumn,
    evolving({ name, codec }, { found, shape }) {
      // The key of a table created by somebody else is not changed.
      const isFixed = !found.isOurs && shape.key?.map(foldName).includes(foldName(name)) === true
      return { like: isFixed ? undefined : codec.like, takes: (value) => codec.write(value) !== undefined }
    },
    faultOf: () => undefined,
    unfit: (table, found) => unfitTable(`of ${JSON.stringify(path)}`, path, table, found),
  }
}

function useColumn({ type, labels }: FoundColumn, { name, named, shape, mode }: ColumnUse): TableColumn | string {
  const codec = codecOf(type, { named, takesAnyText: shape.isInferred && mode === 'evolve' }, labels)
  if (codec === undefined) return `its column ${name} is ${type}, which cannot be written: make it JSON`
  if (named === undefined || codec.takes.includes(named)) return { name, type, codec }
  return `its column ${name} is ${type}, rows have ${named} for it`
}
