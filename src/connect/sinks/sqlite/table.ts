// Tables in a SQLite database: made where they are missing, compared where they are there, changed where rows need it.

import type { DatabaseSync } from 'node:sqlite'
import type { SluiceError } from '../../../base/errors.ts'
import { type Changes, changesFor, type SchemaMode } from '../../sql/evolve.ts'
import { foldName, quoteName } from '../../sql/name.ts'
import { type FoundColumn, type FoundTable, findTable, hasKey, MARK } from './catalogue.ts'
import { declaredType, inferredType, kindOf, namedKind } from './kind.ts'
import { IDENTITY, type Shape } from './shape.ts'
import { mismatch } from './trouble.ts'
import type { ValueKind } from './value.ts'

/** Where a table is to be, and what may be done for it. */
export interface Place {
  readonly database: DatabaseSync
  readonly path: string
  /** What becomes of rows that do not fit; by default `evolve` in tables that were made here, else `freeze`. */
  readonly mode?: SchemaMode | undefined
  readonly onNote?: ((note: string) => void) | undefined
}

export interface TableColumn {
  /** As rows have it. */
  readonly name: string
  readonly kind: ValueKind
  /** What it takes if the table evolves. */
  readonly evolving: ValueKind
}

export interface Table {
  readonly shape: Shape
  readonly mode: SchemaMode
  /** Those that rows go into; the last ones are {@link IDENTITY} where the shape says so. */
  readonly columns: readonly TableColumn[]
  /** The folded names of all. */
  readonly names: ReadonlySet<string>
}

/**
 * Makes a table, or takes the one that is there if it has all columns that were named, each of a type that changes
 * nothing.
 *
 * The table keeps SQLite's row ids and has its key as an index beside them: rows that come in the order of their keys
 * are then written a tenth faster than into a table `without rowid`.
 *
 * @throws {SluiceError} SINK_MISMATCH, naming the columns that are missing or do not fit
 */
export function ensureTable(place: Place, shape: Shape): Table {
  const { database, onNote } = place
  const there = findTable(database, shape.table)
  if (there !== undefined) {
    addNamed(place, shape, there)
    return adopt(place, shape, findTable(database, shape.table) ?? there)
  }
  const made = madeColumns(place, shape)
  database.exec(createTable(shape, made))
  if (shape.isInferred) {
    const types = shape.columns.flatMap(({ name, type }) => (made.has(name) ? [`${name} ${type ?? 'text'}`] : []))
    onNote?.(`made table ${shape.table} with the columns of the first rows: ${types.join(', ')}`)
  }
  return adopt(place, shape, findTable(database, shape.table))
}

/** What a table has to become for rows. SQLite keeps what it cannot convert, so that no column has to be widened. */
export function changesOf(rows: Iterable<unknown>, { names }: Table): Changes {
  return changesFor(rows, (name) => (names.has(foldName(name)) ? FITS : undefined), names.size)
}

const FITS = { like: undefined, takes: () => true }

/** Adds columns; gives a line for each. */
export function addColumns({ database }: Place, { table }: Shape, { added }: Changes): readonly string[] {
  const notes: string[] = []
  const taken = new Set<string>()
  for (const [name, type] of added) {
    if (taken.has(foldName(name))) continue
    taken.add(foldName(name))
    database.exec(`alter table ${quoteName(table)} add column ${quoteName(name)} ${inferredType(type, 'evolve')}`)
    notes.push(`added column ${name} ${type}`)
  }
  return notes
}

/** A statement that writes `count` rows and overwrites those of the same key. */
export function upsert({ columns, shape: { table, key } }: Table, count: number): string {
  const names = columns.map((column) => quoteName(column.name))
  const marks = `(${names.map(() => '?').join(', ')})`
  const isKey = new Set(key.map(foldName))
  const others = columns.filter((column) => !isKey.has(foldName(column.name))).map((column) => quoteName(column.name))
  const assignments = others.map((other) => `${other} = excluded.${other}`).join(', ')
  const action = others.length === 0 ? 'do nothing' : `do update set ${assignments}`
  // "or abort": a clause of the table itself (`unique on conflict ignore`) must not drop rows in silence.
  return (
    `insert or abort into ${quoteName(table)} (${names.join(', ')}) values ${Array(count).fill(marks).join(', ')} ` +
    `on conflict (${key.map(quoteName).join(', ')}) ${action}`
  )
}

/** Name → type of the columns that are made: what has no value yet comes with its first one, if columns are added. */
function madeColumns({ mode }: Place, { columns, key, isInferred, hasIdentity }: Shape): ReadonlyMap<string, string> {
  const keys = new Set(key.map(foldName))
  const made = columns.flatMap(({ name, type }): [string, string][] => {
    if (!isInferred && type !== undefined) return [[name, declaredType(type)]]
    const isMade = type !== undefined || mode === 'freeze' || keys.has(foldName(name))
    return isMade ? [[name, inferredType(type, mode)]] : []
  })
  const identity = IDENTITY.map(({ name, type = 'text' }): [string, string] => [name, declaredType(type)])
  return new Map(hasIdentity ? [...made, ...identity] : made)
}

function createTable({ table, key }: Shape, columns: ReadonlyMap<string, string>): string {
  const isKey = new Set(key.map(foldName))
  const lines = [...columns].map(([name, type]) => {
    return [quoteName(name), type, isKey.has(foldName(name)) ? 'not null' : ''].filter((part) => part !== '').join(' ')
  })
  return `create table ${quoteName(table)} (${MARK} ${lines.join(', ')}, primary key (${key.map(quoteName).join(', ')}))`
}

function addNamed(place: Place, shape: Shape, found: FoundTable): void {
  if (shape.isInferred || place.mode !== 'evolve') return
  const names = new Set(found.columns.map(({ name }) => foldName(name)))
  for (const { name, type } of shape.columns) {
    if (names.has(foldName(name)) || type === undefined) continue
    place.database.exec(`alter table ${quoteName(shape.table)} add column ${quoteName(name)} ${declaredType(type)}`)
  }
}

function modeOf({ mode }: Place, { isOurs }: FoundTable): SchemaMode {
  return mode ?? (isOurs ? 'evolve' : 'freeze')
}

function adopt(place: Place, shape: Shape, found: FoundTable | undefined): Table {
  const { table, key, hasIdentity } = shape
  if (found === undefined) throw unfit(place, table, 'it is gone')
  const there = new Map(found.columns.map((column) => [foldName(column.name), column]))
  const named = [...(shape.isInferred ? [] : shape.columns), ...(hasIdentity ? IDENTITY : [])]
  const missing = named.filter(({ name }) => !there.has(foldName(name))).map(({ name }) => name)
  if (missing.length > 0) throw unfit(place, table, `it has no column ${missing.join(', ')}`)
  const mode = modeOf(place, found)
  const used = usedOf(shape, found)
  const columns = used.map(({ name, column }) =>
    adoptColumn(place, shape, { mode, isOurs: found.isOurs }, name, column),
  )
  const required = found.columns.filter((column) => column.isRequired && !used.some((one) => one.column === column))
  if (required.length > 0) {
    const names = required.map(({ name }) => name).join(', ')
    throw unfit(place, table, `its column ${names} is not null and has no default, and rows have no such column`)
  }
  if (!hasKey(place.database, table, key)) {
    throw unfit(place, table, `it has no primary key or unique index of ${key.join(', ')} and nothing else`)
  }
  return { shape, mode, columns, names: new Set(there.keys()) }
}

/** The columns that rows go into: those that were named, or all of a table that was made here, or those that rows have. */
function usedOf(
  shape: Shape,
  { columns, isOurs }: FoundTable,
): readonly { readonly name: string; readonly column: FoundColumn }[] {
  const there = new Map(columns.map((column) => [foldName(column.name), column]))
  const identity = shape.hasIdentity ? IDENTITY : []
  const own = shape.columns.map(({ name }) => name)
  if (shape.isInferred && isOurs) {
    const known = new Set([...shape.columns, ...identity].map(({ name }) => foldName(name)))
    own.push(...columns.map(({ name }) => name).filter((name) => !known.has(foldName(name))))
  }
  return [...own, ...identity.map(({ name }) => name)].flatMap((name) => {
    const column = there.get(foldName(name))
    return column === undefined ? [] : [{ name, column }]
  })
}

function adoptColumn(
  place: Place,
  shape: Shape,
  { mode, isOurs }: Pick<Table, 'mode'> & Pick<FoundTable, 'isOurs'>,
  name: string,
  column: FoundColumn,
): TableColumn {
  const named = (shape.isInferred ? IDENTITY : [...shape.columns, ...IDENTITY]).find((one) => one.name === name)?.type
  if (named === undefined) {
    return { name, kind: kindOf(column, mode, isOurs), evolving: kindOf(column, 'evolve', isOurs) }
  }
  const kind = namedKind(column, named)
  if (kind !== undefined) return { name, kind, evolving: kind }
  throw unfit(place, shape.table, `its column ${name} is ${column.affinity}, rows have ${named} for it`)
}

function unfit({ path }: Place, table: string, found: string): SluiceError<'SINK_MISMATCH'> {
  return mismatch(`Cannot write to table ${table} of ${JSON.stringify(path)}: ${found}`, path, table, found)
}
