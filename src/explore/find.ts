// From the name of a source to what it is.

import { findDatabaseFile, findPostgres } from './databases.ts'
import { findFiles } from './files.ts'
import type { Found, Looking } from './found.ts'
import { findUrl } from './web.ts'

/**
 * Finds out what a source is: a file, a glob, a folder, a URL, or a table of a database.
 *
 * @throws {SluiceError} SOURCE_MISSING, SOURCE_UNREADABLE, SOURCE_CORRUPT, SOURCE_LIMIT, CONFIG_INVALID
 */
export async function find(given: string, looking: Looking): Promise<Found> {
  if (/^postgres(?:ql)?:\/\//i.test(given)) return await findPostgres(given, looking)
  if (/^https?:\/\//i.test(given) && URL.canParse(given)) return await findUrl(given, looking)
  return (await findDatabaseFile(given, looking)) ?? (await findFiles(given, looking))
}
