// Names of tables and columns, as a PostgreSQL server stores them.

import { describeValue } from '../../../base/check.ts'
import { SluiceError } from '../../../base/errors.ts'
import { checkColumnName, checkTableName } from '../../kits/sql/name.ts'
import type { ShapeRules } from '../../kits/sql/shape.ts'

/** The longest name that a server stores; it truncates longer ones, and two names may then be one. */
const MAX_NAME_BYTES = 63
/** System columns, which every table has. */
const SYSTEM_COLUMNS = ['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']

export const RULES: ShapeRules = {
  fold: (name) => name,
  checkColumn(name) {
    checkColumnName(name)
    checkLength('column', name)
    if (SYSTEM_COLUMNS.includes(name)) throw invalid('column', name, 'a name that is not a system column')
  },
  isKept: (name) => Buffer.byteLength(name) <= MAX_NAME_BYTES && !SYSTEM_COLUMNS.includes(name),
  identity: [],
}

/**
 * @throws {SluiceError} CONFIG_INVALID for a name that the server would not store unchanged, or of an internal table
 */
export function checkTable(name: unknown): asserts name is string {
  checkTableName(name)
  checkLength('table', name)
}

/**
 * @throws {SluiceError} CONFIG_INVALID for a name that the server would not store unchanged
 */
export function checkSchema(name: unknown): asserts name is string {
  checkColumnName(name)
  checkLength('schema', name)
}

function checkLength(what: string, name: string): void {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw invalid(what, name, `a text of at most ${MAX_NAME_BYTES} bytes`)
}

function invalid(what: string, name: unknown, allowed: string): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot name a ${what} ${describeValue(name)}: a ${what} of PostgreSQL takes ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key: what, value: name, allowed })
}
