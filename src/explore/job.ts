// A pipeline to start from, for a source as it was found.

import { call, jobText, literal, type Piece, plain, propertyName } from '../scaffold/code.ts'
import type { ColumnFound } from './column-profile.ts'
import { type Explored, VALUE } from './explore.ts'

/**
 * The module of a pipeline that loads a source into a database.
 *
 * @param into - the database's path: DuckDB if it ends in .duckdb, else SQLite
 */
export function jobOf({ found, columns }: Explored, into: string): string {
  const before = found.hasRowType ? rowType(columns) : undefined
  const table = found.name.replaceAll('-', '_')
  const isDuckdb = /\.duckdb$/i.test(into)
  return jobText({
    name: found.name,
    about: [`${found.name}.ts`],
    from: before === undefined ? found.code : { ...found.code, before },
    flow: flowOf(columns),
    into: isDuckdb ? call('duckdbSink', [into], { table }, 'sluice/duckdb') : call('sqliteSink', [into], { table }),
  })
}

/** The type of rows that are not known beforehand. */
function rowType(columns: readonly ColumnFound[]): string {
  const [first] = columns
  if (first !== undefined && isValue(columns)) return `type Row = ${typeOf(first)}\n`
  const fields = columns.map((column) => {
    const { name, missing } = column
    return `  readonly ${propertyName(name)}${missing > 0 ? '?' : ''}: ${typeOf(column)}\n`
  })
  return `interface Row {\n${fields.join('')}}\n`
}

const TYPES: Readonly<Record<string, string>> = {
  text: 'string',
  integer: 'number',
  real: 'number',
  decimal: 'string',
  boolean: 'boolean',
  time: 'number',
  json: 'unknown',
  bytes: 'Uint8Array',
}

function typeOf({ type, types, nulls }: ColumnFound): string {
  const all = Object.keys(types).length === 0 ? [type ?? ''] : Object.keys(types)
  const names = new Set(all.map((one) => TYPES[one] ?? 'unknown'))
  if (names.has('unknown')) return 'unknown'
  return [...names, ...(nulls > 0 ? ['null'] : [])].join(' | ')
}

/** What a flow does, or could do: as a comment. */
function flowOf(columns: readonly ColumnFound[]): Piece | undefined {
  if (isValue(columns)) return plain('flow: (values) => values.map((value) => ({ value })),')
  // Nobody filters by a place in a file: it makes a poor example.
  const isNumber = ({ name, type }: ColumnFound): boolean =>
    (type === 'integer' || type === 'real') && name !== 'line' && name !== 'offset'
  const { name } = columns.find(isNumber) ?? {}
  return name === undefined ? undefined : plain(`// flow: (rows) => rows.where(${literal(name)}, '>', 0),`)
}

/** Whether events are not rows. */
function isValue([column, ...others]: readonly ColumnFound[]): boolean {
  return column?.name === VALUE && others.length === 0
}
