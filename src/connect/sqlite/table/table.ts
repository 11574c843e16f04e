// Tables in an SQLite database, for writing rows.

import { foldName, quoteName } from '../../kits/sql/name.ts'
import type { Shape, ShapeColumn } from '../../kits/sql/shape.ts'
import {
  addColumn,
  type TableColumn as Column,
  type ColumnUse,
  FITS,
  type TableOptions,
  type Tables,
  type Table as UsedTable,
  unfitTable,
} from '../../kits/sql/table.ts'
import { run } from '../../kits/store/work.ts'
import { type FoundColumn, type FoundTable, findTable, MARK } from './catalogue.ts'
import { declaredType, inferredType, kindOf, namedKind } from './kind.ts'
import { RULES } from './rules.ts'
import type { ValueKind } from './value.ts'

export interface TableColumn extends Column {
  readonly kind: ValueKind
  /** What it takes if the table evolves. */
  readonly evolving: ValueKind
}

export type Table = UsedTable<FoundTable, TableColumn>

/** Where tables are, and what may be done to them. */
export interface Place extends TableOptions {
  readonly path: string
}

/**
 * A table keeps SQLite's row ids and has its key as a separate index: rows that come in the order of their keys are
 * then written a tenth faster than into a table `without rowid`.
 */
export function sqliteTables({ path, mode, onNote, takesNul = false }: Place): Tables<FoundTable, TableColumn> {
  return {
    mode,
    onNote,
    rules: RULES,
    sqlName: quoteName,
    find: findTable,
    *lock() {},
    *create(shape, columns) {
      yield* run(createTable(shape, columns, mode))
    },
    *add({ table }, name, type) {
      yield* run(addColumn(quoteName(table), name, declaredType(type)))
    },
    // SQLite stores what it cannot convert, so that no column has to be widened.
    *change({ shape }, { added }) {
      for (const [name, type] of added)
        yield* run(addColumn(quoteName(shape.table), name, inferredType(type, 'evolve')))
      return [...added].map(([name, type]) => `added column ${name} ${type}`)
    },
    use: (column, use) => (takesNul && column.affinity === 'text' ? textColumn(use) : useColumn(column, use)),
    evolving: () => FITS,
    faultOf: () => undefined,
    unfit: (table, found) => unfitTable(`of ${JSON.stringify(path)}`, path, table, found),
  }
}

function createTable({ table, key, isInferred }: Shape, columns: readonly ShapeColumn[], mode: Place['mode']): string {
  const keys = key ?? RULES.identity.map(({ name }) => name)
  const isKey = new Set(keys.map(foldName))
  const lines = columns.map((column) => {
    const { name, type } = column
    const isNamed = type !== undefined && (!isInferred || RULES.identity.includes(column))
    const declared = isNamed ? declaredType(type) : inferredType(type, mode)
    return [quoteName(name), declared, isKey.has(foldName(name)) ? 'not null' : '']
      .filter((part) => part !== '')
      .join(' ')
  })
  return `create table ${quoteName(table)} (${MARK} ${lines.join(', ')}, primary key (${keys.map(quoteName).join(', ')}))`
}

function textColumn({ name }: ColumnUse): TableColumn {
  return { name, kind: 'with-nul', evolving: 'with-nul' }
}

function useColumn(column: FoundColumn, { name, named, mode, isOurs }: ColumnUse): TableColumn | string {
  if (named === undefined) {
    return { name, kind: kindOf(column, mode, isOurs), evolving: kindOf(column, 'evolve', isOurs) }
  }
  const kind = namedKind(column, named)
  if (kind !== undefined) return { name, kind, evolving: kind }
  return `its column ${name} is ${column.affinity}, rows have ${named} for it`
}
