// Tables that rows go to: made where they are missing, compared where they are there, changed where rows need it.

import type { ColumnType } from '../../column.ts'
import type { Work } from '../store/work.ts'
import { type Changes, changesFor, type EvolvingColumn, type SchemaMode } from './evolve.ts'
import type { Shape, ShapeColumn, ShapeRules } from './shape.ts'

/** What may be done for a table. */
export interface TableOptions {
  /** What becomes of rows that do not fit; by default `evolve` in tables that were made here, else `freeze`. */
  readonly mode?: SchemaMode | undefined
  readonly onNote?: ((note: string) => void) | undefined
  /** Whether texts with a NUL are taken, too, where the database can hold them. */
  readonly takesNul?: boolean
}

/** A column as it is in the database. */
export interface FoundColumn {
  readonly name: string
  /** Whether a row without it is refused: it must not be null, and has no default. */
  readonly isRequired: boolean
  /** Whether the database alone gives it values. */
  readonly isGenerated?: boolean
}

export interface FoundTable {
  readonly columns: readonly FoundColumn[]
  /** Whether this sink made it. */
  readonly isOurs: boolean
  /** The columns of every key that tells rows apart. */
  readonly keys: readonly (readonly string[])[]
}

/** A column that rows go into, by the name that it has in rows. */
export interface TableColumn {
  readonly name: string
}

/** A table that is there and takes the rows of a shape. */
export interface Table<F extends FoundTable, T extends TableColumn> {
  /** Its name as SQL. */
  readonly sql: string
  readonly shape: Shape
  readonly mode: SchemaMode
  readonly found: F
  /** Those that rows go into; the last ones are the identity of rows, where that is the key. */
  readonly columns: readonly T[]
  /** The folded names of all that rows may go into. */
  readonly names: ReadonlySet<string>
}

/** What a column is to be used for. */
export interface ColumnUse {
  /** The name in rows, and the type that was named for it. */
  readonly name: string
  readonly named: ColumnType | undefined
  readonly shape: Shape
  readonly mode: SchemaMode
  readonly isOurs: boolean
}

/** The tables of one database. */
export interface Tables<F extends FoundTable, T extends TableColumn> extends TableOptions {
  readonly rules: ShapeRules
  /** The name of a table as SQL. */
  sqlName(table: string): string
  /** A table as it is now; undefined if it does not exist. */
  find(table: string): Work<F | undefined>
  /** Keeps others from making or changing tables until the transaction ends. */
  lock(): Work<void>
  create(shape: Shape, columns: readonly ShapeColumn[]): Work<void>
  /** Adds a column of a type that was named. */
  add(shape: Shape, name: string, type: ColumnType): Work<void>
  /** Adds columns and makes others wider, as far as the database allows; gives a line for each that it did. */
  change(table: Table<F, T>, changes: Changes): Work<readonly string[]>
  /** How rows go into a column; or, in words, why they do not. */
  use(column: F['columns'][number], use: ColumnUse): T | string
  /** What a column takes, and what it can become. */
  evolving(column: T, table: Table<F, T>): EvolvingColumn
  /** Why no rows go into a table, where its columns are not the reason. */
  faultOf(found: F): string | undefined
  /** The error for a table that does not fit. */
  unfit(table: string, found: string): Error
}

/** A column that takes all values. */
export const FITS: EvolvingColumn = { like: undefined, takes: () => true }

/**
 * Makes a table, or takes the one that is there if it has all columns that were named, each of a type that holds them.
 * To be called inside a transaction.
 *
 * @throws {SluiceError} SINK_MISMATCH, naming the columns that are missing or do not fit
 */
export function* ensureTable<F extends FoundTable, T extends TableColumn>(
  tables: Tables<F, T>,
  shape: Shape,
): Work<Table<F, T>> {
  const there = yield* tables.find(shape.table)
  if (there !== undefined && !lacksNamed(tables, shape, there)) return adopt(tables, shape, there)
  yield* tables.lock()
  const now = yield* tables.find(shape.table)
  if (now === undefined) yield* make(tables, shape)
  else if (lacksNamed(tables, shape, now)) {
    for (const { name, type } of missingOf(tables.rules, shape.columns, now)) {
      if (type !== undefined) yield* tables.add(shape, name, type)
    }
  }
  return adopt(tables, shape, yield* tables.find(shape.table))
}

/** Uses more of a table's columns, and changes the table where that is allowed, so that rows fit into it. */
export function* adaptTable<F extends FoundTable, T extends TableColumn>(
  tables: Tables<F, T>,
  before: Table<F, T>,
  rows: readonly unknown[],
): Work<Table<F, T>> {
  let table = before
  for (;;) {
    const { shape } = table
    const more = unusedOf(tables.rules, rows, table)
    table = yield* ensureTable(tables, { ...shape, columns: [...shape.columns, ...more] })
    const changes = table.mode === 'freeze' ? [] : yield* tables.change(table, changesOf(tables, rows, table))
    for (const change of changes) tables.onNote?.(`${change} in table ${shape.table}`)
    if (changes.length === 0) return table
    table = yield* ensureTable(tables, table.shape)
  }
}

/** What tells rows apart, if anything does. */
export function keyOf({ key }: Shape, { identity }: ShapeRules): readonly string[] | undefined {
  return key ?? (identity.length > 0 ? identity.map(({ name }) => name) : undefined)
}

function* make<F extends FoundTable, T extends TableColumn>(tables: Tables<F, T>, shape: Shape): Work<void> {
  const { rules, mode, onNote } = tables
  const keys = new Set(shape.key?.map(rules.fold))
  // What has no value yet comes with its first one, if columns are added.
  const made = shape.columns.filter(({ name, type }) => {
    return type !== undefined || mode === 'freeze' || keys.has(rules.fold(name))
  })
  yield* tables.create(shape, [...made, ...identityOf(rules, shape)])
  if (!shape.isInferred) return
  const types = made.map(({ name, type = 'text' }) => `${name} ${type}`).join(', ')
  onNote?.(`made table ${shape.table} with the columns of the first rows: ${types}`)
}

function adopt<F extends FoundTable, T extends TableColumn>(
  tables: Tables<F, T>,
  shape: Shape,
  found: F | undefined,
): Table<F, T> {
  const { rules } = tables
  const unfit = (words: string): Error => tables.unfit(shape.table, words)
  if (found === undefined) throw unfit('it is gone')
  const fault = tables.faultOf(found)
  if (fault !== undefined) throw unfit(fault)
  const named = [...(shape.isInferred ? [] : shape.columns), ...identityOf(rules, shape)]
  const missing = missingOf(rules, named, found)
  if (missing.length > 0) throw unfit(`it has no column ${namesOf(missing)}`)
  const mode = tables.mode ?? (found.isOurs ? 'evolve' : 'freeze')
  const used = usedOf(rules, shape, found)
  const columns = used.map(({ name, column }) => {
    const type = named.find((one) => one.name === name)?.type
    const use = tables.use(column, { name, named: type, shape, mode, isOurs: found.isOurs })
    if (typeof use === 'string') throw unfit(use)
    return use
  })
  const required = found.columns.filter((one) => one.isRequired && !used.some(({ column }) => column === one))
  if (required.length > 0) {
    throw unfit(`its column ${namesOf(required)} is not null and has no default, and rows have no such column`)
  }
  const key = keyOf(shape, rules)
  if (key !== undefined && !found.keys.some((names) => areSame(names.map(rules.fold), key.map(rules.fold)))) {
    throw unfit(`it has no primary key or unique index of ${key.join(', ')} and nothing else`)
  }
  const names = new Set(found.columns.filter((one) => one.isGenerated !== true).map(({ name }) => rules.fold(name)))
  return { sql: tables.sqlName(shape.table), shape, mode, found, columns, names }
}

/** The columns that rows go into: those that were named, or all of a table that was made here, or those that rows have. */
function usedOf(
  rules: ShapeRules,
  shape: Shape,
  { columns, isOurs }: FoundTable,
): readonly { readonly name: string; readonly column: FoundColumn }[] {
  const { fold } = rules
  const identity = identityOf(rules, shape)
  const own = shape.columns.map(({ name }) => name)
  if (shape.isInferred && isOurs) {
    const known = new Set([...shape.columns, ...identity].map(({ name }) => fold(name)))
    const others = columns.filter(({ name, isGenerated }) => isGenerated !== true && !known.has(fold(name)))
    own.push(...others.map(({ name }) => name))
  }
  const there = new Map(columns.map((column) => [fold(column.name), column]))
  return [...own, ...identity.map(({ name }) => name)].flatMap((name) => {
    const column = there.get(fold(name))
    return column === undefined ? [] : [{ name, column }]
  })
}

/** What a table has to become for rows. */
function changesOf<F extends FoundTable, T extends TableColumn>(
  tables: Tables<F, T>,
  rows: readonly unknown[],
  table: Table<F, T>,
): Changes {
  const { fold, isKept } = tables.rules
  const used = new Map(table.columns.map((column) => [column.name, column]))
  const columnOf = (name: string): EvolvingColumn | undefined => {
    const column = used.get(name)
    if (column !== undefined) return tables.evolving(column, table)
    // One of the table's that no row had yet is looked at once it is used.
    return table.names.has(fold(name)) || !isKept(name) ? FITS : undefined
  }
  const { added, widened } = changesFor(rows, columnOf, table.found.columns.length)
  const firsts = new Map([...added.keys()].toReversed().map((name) => [fold(name), name]))
  return { added: new Map([...added].filter(([name]) => firsts.get(fold(name)) === name)), widened }
}

/** Columns that the table has, rows have values for, and were not used before. */
function unusedOf<F extends FoundTable, T extends TableColumn>(
  { fold }: ShapeRules,
  rows: readonly unknown[],
  { names, columns, shape }: Table<F, T>,
): readonly ShapeColumn[] {
  const used = new Set([...columns, ...shape.columns].map(({ name }) => fold(name)))
  const unused: ShapeColumn[] = []
  for (const row of rows) {
    for (const [name, value] of Object.entries(Object(row))) {
      const folded = fold(name)
      if (value === null || value === undefined || used.has(folded) || !names.has(folded)) continue
      used.add(folded)
      unused.push({ name, type: undefined })
    }
  }
  return unused
}

function identityOf({ identity }: ShapeRules, { key }: Shape): readonly ShapeColumn[] {
  return key === undefined ? identity : []
}

function lacksNamed(
  { mode, rules }: Pick<Tables<never, never>, 'mode' | 'rules'>,
  shape: Shape,
  found: FoundTable,
): boolean {
  return !shape.isInferred && mode === 'evolve' && missingOf(rules, shape.columns, found).length > 0
}

function missingOf({ fold }: ShapeRules, named: readonly ShapeColumn[], found: FoundTable): readonly ShapeColumn[] {
  const names = new Set(found.columns.map(({ name }) => fold(name)))
  return named.filter(({ name }) => !names.has(fold(name)))
}

function namesOf(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => name).join(', ')
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  const names = new Set(b)
  return names.size === a.length && a.every((name) => names.has(name))
}
