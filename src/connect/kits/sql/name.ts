// Names of tables and columns in SQL: any text is possible, so all are quoted, and harmful ones rejected.

import { describeValue } from '../../../base/check.ts'
import { SluiceError } from '../../../base/errors.ts'

/** The longest name, in characters: a hostile file's header must not cause statements of megabytes. */
const MAX_LENGTH = 255

/**
 * A name as SQL text.
 *
 * @example
 * quoteName('x"; drop table y; --') // => '"x""; drop table y; --"'
 */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * Rejects an invalid column name: anything but a text of 1 to 255 characters without NUL.
 *
 * @throws {SluiceError} CONFIG_INVALID
 */
export function checkColumnName(name: unknown): asserts name is string {
  checkName('column', name)
}

/**
 * Rejects an invalid table name: as for columns, names that begin with `sqlite_` or `sluice_`, and names in quotes,
 * which would become part of the name.
 *
 * @throws {SluiceError} CONFIG_INVALID
 */
export function checkTableName(name: unknown): asserts name is string {
  checkName('table', name)
  if (/^(".*"|`.*`|\[.*\])$/s.test(name)) throw invalid('table', name, 'a name without quotes around it')
  if (/^(?:sqlite_|sluice_)/i.test(name))
    throw invalid('table', name, 'a name that is not reserved for internal tables')
}

/** Whether a text can be the name of a column. */
export function isNameInSql(name: unknown): name is string {
  return (
    typeof name === 'string' && name !== '' && name.length <= MAX_LENGTH && !name.includes('\0') && name.isWellFormed()
  )
}

/** A name as databases compare it: ignoring the case of ASCII letters. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function checkName(what: string, name: unknown): asserts name is string {
  if (isNameInSql(name)) return
  throw invalid(what, name, `a text of 1 to ${MAX_LENGTH} characters without NUL`)
}

function invalid(what: string, name: unknown, allowed: string): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot name a ${what} ${describeValue(name)}: a ${what} takes ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key: what, value: name, allowed })
}
