// Environment variables from files: .env, or those that the command line names.

import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { messageOf, SluiceError } from '../base/errors.ts'

/** Read if no other is named, and it exists. */
const USUAL = '.env'

/**
 * Sets the variables of files, the last of which counts where several have one. What the environment has already stays
 * as it is, even if it is empty.
 *
 * @param paths - those that are named; none: `.env` of the working directory, if there
 * @throws {SluiceError} CONFIG_INVALID for a named file that cannot be read
 */
export function useEnvFiles(paths: readonly string[], env: Record<string, string | undefined> = process.env): void {
  const found: Record<string, string | undefined> = {}
  const files = paths.length > 0 ? paths : existsSync(USUAL) ? [USUAL] : []
  for (const path of files) Object.assign(found, parsed(path))
  for (const [name, value] of Object.entries(found)) env[name] ??= value
}

function parsed(path: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    const message = `Cannot read the environment variables of ${path}: ${messageOf(error)}`
    throw new SluiceError(
      'CONFIG_INVALID',
      message,
      { key: 'env-file', value: path, allowed: 'a file' },
      { cause: error },
    )
  }
}
