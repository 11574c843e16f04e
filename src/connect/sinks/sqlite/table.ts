// Tables in a SQLite database: made where they are missing, compared where they are there.

import type { DatabaseSync } from 'node:sqlite'
import { SluiceError } from '../../../base/errors.ts'
import { foldName, quoteName } from '../../sql/name.ts'
import { mismatch } from './trouble.ts'
import type { ValueKind } from './value.ts'

export interface TableColumn {
  readonly name: string
  readonly kind: ValueKind
  /** The type in `create table`; empty for a column that takes everything. */
  readonly type: '' | 'text' | 'integer' | 'numeric' | 'real' | 'blob'
}

export interface TableShape {
  readonly name: string
  readonly columns: readonly TableColumn[]
  /** Names of the columns of the primary key, by which rows are overwritten. */
  readonly key: readonly string[]
}

/** How a column changes what is stored in it: SQLite derives it from the declared type. */
type Affinity = 'text' | 'integer' | 'real' | 'numeric' | 'none'

/**
 * Makes a table, or takes the one that is there if it has all of the columns, each of a type that changes nothing.
 *
 * The table keeps SQLite's row ids and has its key as an index beside them: rows that come in the order of their keys
 * are then written a tenth faster than into a table `without rowid`.
 *
 * @returns the shape with the kinds that the columns there allow
 * @throws {SluiceError} SINK_MISMATCH, naming the columns that are missing or do not fit
 */
export function ensureTable(database: DatabaseSync, path: string, shape: TableShape): TableShape {
  const there = columnsOf(database, shape.name)
  if (there !== undefined) {
    const adopted = adopt(path, shape, there)
    if (!hasKey(database, shape)) {
      throw unfit(path, shape.name, `it has no primary key or unique index of ${shape.key.join(', ')} and nothing else`)
    }
    return adopted
  }
  database.exec(createTable(shape))
  return shape
}

/** A statement that writes `count` rows and overwrites those of the same key. */
export function upsert({ name, columns, key }: TableShape, count: number): string {
  const names = columns.map((column) => quoteName(column.name))
  const marks = `(${names.map(() => '?').join(', ')})`
  const isKey = new Set(key.map(foldName))
  const others = columns.filter((column) => !isKey.has(foldName(column.name))).map((column) => quoteName(column.name))
  const assignments = others.map((other) => `${other} = excluded.${other}`).join(', ')
  const action = others.length === 0 ? 'do nothing' : `do update set ${assignments}`
  // "or abort": a clause of the table itself (`unique on conflict ignore`) must not drop rows in silence.
  return (
    `insert or abort into ${quoteName(name)} (${names.join(', ')}) values ${Array(count).fill(marks).join(', ')} ` +
    `on conflict (${key.map(quoteName).join(', ')}) ${action}`
  )
}

/** Refuses two columns whose names differ only by the case of ASCII letters: to SQLite they are one. */
export function checkDistinct(names: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const name of names) {
    const other = seen.get(foldName(name))
    if (other !== undefined) {
      const allowed = 'columns whose names differ by more than upper and lower case'
      const message = `Cannot make a table of the columns ${JSON.stringify(other)} and ${JSON.stringify(name)}: it takes ${allowed}`
      throw new SluiceError('CONFIG_INVALID', message, { key: 'columns', value: name, allowed })
    }
    seen.set(foldName(name), name)
  }
}

function createTable({ name, columns, key }: TableShape): string {
  const isKey = new Set(key.map(foldName))
  const lines = columns.map((column) => {
    return [quoteName(column.name), column.type, isKey.has(foldName(column.name)) ? 'not null' : '']
      .filter((part) => part !== '')
      .join(' ')
  })
  return `create table ${quoteName(name)} (${lines.join(', ')}, primary key (${key.map(quoteName).join(', ')}))`
}

/** Folded column name → affinity; undefined if there is no such table. */
function columnsOf(database: DatabaseSync, table: string): ReadonlyMap<string, Affinity> | undefined {
  // Hidden columns are generated ones and those of virtual tables: nothing can be inserted into them.
  const rows = database.prepare('select name, type from pragma_table_xinfo(?) where hidden = 0').all(table)
  if (rows.length === 0) return undefined
  return new Map(rows.map(({ name, type }) => [foldName(String(name)), affinityOf(String(type))]))
}

function adopt(path: string, shape: TableShape, there: ReadonlyMap<string, Affinity>): TableShape {
  const missing = shape.columns.filter(({ name }) => !there.has(foldName(name))).map(({ name }) => name)
  if (missing.length > 0) throw unfit(path, shape.name, `it has no column ${missing.join(', ')}`)
  const columns = shape.columns.map((column) => {
    const affinity = there.get(foldName(column.name)) ?? 'none'
    const kind = kindIn(affinity, column.kind)
    if (kind !== undefined) return { ...column, kind }
    throw unfit(path, shape.name, `its column ${column.name} is ${affinity}, rows have ${column.kind} for it`)
  })
  return { ...shape, columns }
}

/** Whether rows there are told apart by just the columns of the key: SQLite takes no other for overwriting. */
function hasKey(database: DatabaseSync, { name, key }: TableShape): boolean {
  const wanted = key.map(foldName).sort().join('\0')
  const primary = database.prepare('select name from pragma_table_info(?) where pk > 0').all(name)
  const unique = database.prepare('select name from pragma_index_list(?) where "unique" = 1 and partial = 0').all(name)
  const indexed = database.prepare('select name from pragma_index_info(?)')
  const keys = [primary, ...unique.map((index) => indexed.all(String(index.name)))]
  return keys.some((columns) => {
    return (
      columns
        .map((column) => foldName(String(column.name)))
        .sort()
        .join('\0') === wanted
    )
  })
}

function unfit(path: string, table: string, found: string): SluiceError<'SINK_MISMATCH'> {
  return mismatch(`Cannot write to table ${table} of ${JSON.stringify(path)}: ${found}`, path, table, found)
}

/** The kind under which a column of that affinity gives back what was stored; undefined if there is none. */
function kindIn(affinity: Affinity, kind: ValueKind): ValueKind | undefined {
  if (affinity === 'none') return kind === 'bytes' || kind === 'decimal' ? kind : 'any'
  switch (kind) {
    case 'any':
      return affinity === 'integer' || affinity === 'numeric' ? 'number' : affinity
    case 'text':
    case 'decimal':
    case 'json':
      return affinity === 'text' ? kind : undefined
    case 'bytes':
      return undefined
    case 'number':
      return affinity === 'text' ? undefined : affinity === 'real' ? 'real' : kind
    case 'real':
      return affinity === 'text' ? undefined : kind
    default:
      return affinity === 'integer' || affinity === 'numeric' ? kind : undefined
  }
}

/** SQLite's own rules, in its order. */
function affinityOf(type: string): Affinity {
  if (/int/i.test(type)) return 'integer'
  if (/char|clob|text/i.test(type)) return 'text'
  if (/blob/i.test(type) || type === '') return 'none'
  return /real|floa|doub/i.test(type) ? 'real' : 'numeric'
}
