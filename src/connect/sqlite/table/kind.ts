// What a column of SQLite takes, by its type and its declaration.

import type { ColumnType } from '../../column.ts'
import type { SchemaMode } from '../../kits/sql/evolve.ts'
import type { FoundColumn } from './catalogue.ts'
import type { ValueKind } from './value.ts'

/** The type in `create table` of a declared column. */
export function declaredType(type: ColumnType): string {
  switch (type) {
    case 'text':
    case 'json':
    // A number would be rounded.
    case 'decimal':
      return 'text'
    case 'real':
      return 'real'
    case 'bytes':
      return 'blob'
    default:
      return 'integer'
  }
}

/**
 * The type of an inferred column. Numbers get a strict type only if the table must not change; without a type SQLite
 * stores everything unchanged, and nothing has to be widened.
 */
export function inferredType(type: ColumnType | undefined, mode: SchemaMode | undefined): string {
  if (type === undefined || type === 'text' || type === 'json' || type === 'decimal') return 'text'
  if (type === 'bytes') return 'blob'
  if (mode !== 'freeze') return ''
  return type === 'integer' || type === 'real' ? 'numeric' : 'integer'
}

/** What an undeclared column takes. */
export function kindOf({ affinity, strict }: FoundColumn, mode: SchemaMode, isOurs: boolean): ValueKind {
  if (strict !== undefined) return STRICT[strict] ?? 'any'
  switch (affinity) {
    case 'none':
      return 'any'
    case 'text':
      return mode === 'evolve' ? 'any-text' : 'words'
    case 'real':
      return 'float'
    case 'integer':
      return mode === 'evolve' ? 'loose' : 'whole'
    default:
      return mode === 'freeze' && isOurs ? 'number' : 'loose'
  }
}

/** What a declared column takes; undefined if it would change what is stored. */
export function namedKind({ affinity, strict }: FoundColumn, named: ColumnType): ValueKind | undefined {
  if (strict === 'ANY' || (strict === undefined && affinity === 'none')) {
    return named === 'json' || named === 'decimal' || named === 'bytes' ? named : 'any'
  }
  const isText = affinity === 'text'
  const isWhole = affinity === 'integer' || affinity === 'numeric'
  switch (named) {
    case 'text':
      return isText ? 'text' : affinity === 'numeric' ? 'loose' : undefined
    case 'json':
      return isText ? 'json' : affinity === 'numeric' ? 'loose' : undefined
    case 'decimal':
      return isText ? 'decimal' : strict === 'BLOB' ? undefined : 'number'
    case 'integer':
      return isWhole ? 'integer' : affinity === 'real' ? 'float' : undefined
    case 'real':
      return isText || strict === 'BLOB' ? undefined : 'real'
    case 'bytes':
      return strict === 'BLOB' ? 'bytes' : undefined
    default:
      return isWhole ? named : undefined
  }
}

const STRICT: Readonly<Record<string, ValueKind>> = {
  INT: 'whole',
  INTEGER: 'whole',
  REAL: 'float',
  TEXT: 'words',
  BLOB: 'bytes',
}
