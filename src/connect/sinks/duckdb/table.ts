// The table that rows go to: made, looked at and found to fit, or changed.

import { SluiceError } from '../../../base/errors.ts'
import type { ColumnType } from '../../column.ts'
import type { Session } from '../../duckdb/session.ts'
import { type Changes, changesFor, type SchemaMode } from '../../sql/evolve.ts'
import { foldName, quoteName } from '../../sql/name.ts'
import { type Constraints, constraintsOf, type FoundColumn, type FoundTable, findTable, MARK } from './catalogue.ts'
import { type Codec, codecOf, DECLARED } from './codec.ts'

/** Where a table is to be, and what may be done for it. */
export interface Place {
  readonly session: Session
  /** What becomes of rows that do not fit; by default `evolve` in tables that were made here, else `freeze`. */
  readonly mode: SchemaMode | undefined
  readonly onNote: ((note: string) => void) | undefined
}

/** A table as rows need it. */
export interface Shape {
  readonly table: string
  /** As rows have them; without a type where rows have no value for one yet. */
  readonly columns: readonly { readonly name: string; readonly type: ColumnType | undefined }[]
  readonly key: readonly string[] | undefined
  /** Whether the columns were found out from rows. */
  readonly isInferred: boolean
}

export interface TableColumn {
  /** As rows have it. */
  readonly name: string
  readonly type: string
  readonly codec: Codec
}

/** A table that is there and takes the rows of a shape. */
export interface Table {
  readonly shape: Shape
  readonly mode: SchemaMode
  readonly found: FoundTable
  /** Those that rows go into. */
  readonly columns: readonly TableColumn[]
  readonly constraints: Constraints
  /** Whether rows must be looked at beside those that are there: the table asks for more than no nulls and its key. */
  readonly mayRefuse: boolean
}

/** @throws {SluiceError} SINK_MISMATCH for a table that is there and does not fit */
export async function ensureTable(place: Place, shape: Shape): Promise<Table> {
  const { session, onNote } = place
  const there = await findTable(session, shape.table)
  if (there === undefined) {
    const made = madeColumns(place, shape)
    await create(session, shape, made)
    const types = shape.columns.flatMap(({ name, type }) => (made.has(name) ? [`${name} ${type ?? 'text'}`] : []))
    if (shape.isInferred) onNote?.(`made table ${shape.table} with the columns of the first rows: ${types.join(', ')}`)
  } else if (!shape.isInferred && place.mode === 'evolve') {
    for (const { name, type } of missingOf(shape, there)) {
      if (type !== undefined) await session.run(addColumn(shape, name, type))
    }
  }
  return await adopt(place, shape)
}

/** What a table has to become for rows. */
export function changesOf(rows: Iterable<unknown>, { columns, found, shape }: Table): Changes {
  const used = new Map(columns.map((column) => [column.name, column]))
  const names = new Set(found.columns.map(({ name }) => foldName(name)))
  const isKey = new Set(shape.key?.map(foldName))
  return changesFor(
    rows,
    (name) => {
      const column = used.get(name)
      if (column === undefined) return names.has(foldName(name)) ? FITS : undefined
      // The key of a table that somebody else made stays as it is.
      const isFixed = !found.isOurs && isKey.has(foldName(name))
      return {
        like: isFixed ? undefined : column.codec.like,
        takes: (value) => column.codec.write(value) !== undefined,
      }
    },
    found.columns.length,
  )
}

const FITS = { like: undefined, takes: () => true }

export function addColumn({ table }: Shape, name: string, type: ColumnType): string {
  return `alter table ${quoteName(table)} add column ${quoteName(name)} ${DECLARED[type]}`
}

/** The statement that makes a table of names with types. */
export async function create(
  session: Session,
  { table, key }: Shape,
  columns: ReadonlyMap<string, string>,
): Promise<void> {
  const fields = [...columns].map(([name, type]) => `${quoteName(name)} ${type}`)
  if (key !== undefined) fields.push(`primary key (${key.map(quoteName).join(', ')})`)
  await session.run(`create table ${quoteName(table)} (${fields.join(', ')})`)
  await session.run(`comment on table ${quoteName(table)} is '${MARK}'`)
}

/** What has no value yet comes with its first one, if columns are added. */
function madeColumns({ mode }: Place, { columns, key }: Shape): ReadonlyMap<string, string> {
  const made = columns.filter(
    ({ name, type }) => type !== undefined || mode === 'freeze' || key?.includes(name) === true,
  )
  return new Map(made.map(({ name, type = 'text' }) => [name, DECLARED[type]]))
}

function missingOf(shape: Shape, { columns }: FoundTable): Shape['columns'] {
  const names = new Set(columns.map(({ name }) => foldName(name)))
  return shape.columns.filter(({ name }) => !names.has(foldName(name)))
}

function modeOf({ mode }: Place, { isOurs }: FoundTable): SchemaMode {
  return mode ?? (isOurs ? 'evolve' : 'freeze')
}

async function adopt(place: Place, shape: Shape): Promise<Table> {
  const { session } = place
  const { table, key } = shape
  const found = await findTable(session, table)
  if (found === undefined) throw mismatch(session, table, 'is no table')
  const mode = modeOf(place, found)
  const missing = shape.isInferred ? [] : missingOf(shape, found).map(({ name }) => name)
  if (missing.length > 0) {
    throw mismatch(session, table, `has no column named ${missing.join(', ')}`)
  }
  const used = usedOf(shape, found)
  const columns = used.map(({ name, column }) => adoptColumn(session, shape, mode, name, column))
  const constraints = await constraintsOf(session, table, key)
  if (key !== undefined && !constraints.hasKey) {
    throw mismatch(session, table, `has no primary key or unique constraint on ${key.join(', ')}`)
  }
  const required = found.columns.filter((one) => one.isRequired && !used.some(({ column }) => column === one))
  if (required.length > 0) {
    const names = required.map(({ name }) => name).join(', ')
    throw mismatch(session, table, `has column ${names} as NOT NULL without a default, and rows have no such column`)
  }
  const { checks, unique } = constraints
  const mayRefuse = checks.length > 0 || unique.length > 0 || columns.some(({ codec }) => codec.isCast)
  return { shape, mode, found, columns, constraints, mayRefuse }
}

/** The columns that rows go into: those that were named, or all of a table that was made here, or those that rows have. */
function usedOf(
  shape: Shape,
  { columns, isOurs }: FoundTable,
): readonly { readonly name: string; readonly column: FoundColumn }[] {
  const there = new Map(columns.map((column) => [foldName(column.name), column]))
  const names = shape.columns.map(({ name }) => name)
  if (shape.isInferred && isOurs) {
    const known = new Set(names.map(foldName))
    names.push(...columns.map(({ name }) => name).filter((name) => !known.has(foldName(name))))
  }
  return names.flatMap((name) => {
    const column = there.get(foldName(name))
    return column === undefined ? [] : [{ name, column }]
  })
}

function adoptColumn(session: Session, shape: Shape, mode: SchemaMode, name: string, column: FoundColumn): TableColumn {
  const { type, labels } = column
  const named = shape.isInferred ? undefined : shape.columns.find((one) => one.name === name)?.type
  const codec = codecOf(type, { named, takesAnyText: shape.isInferred && mode === 'evolve' }, labels)
  if (codec === undefined) {
    throw mismatch(session, shape.table, `has column ${name} as ${type}, which nothing is written to: make it JSON`)
  }
  if (named === undefined || codec.takes.includes(named)) return { name, type, codec }
  throw mismatch(session, shape.table, `has column ${name} as ${type}, and rows bring ${DECLARED[named]}`)
}

function mismatch({ path }: Session, table: string, found: string): SluiceError<'SINK_MISMATCH'> {
  const message = `Cannot load into table ${table} of ${JSON.stringify(path)}: it ${found}`
  return new SluiceError('SINK_MISMATCH', message, { sink: path, table, found })
}
