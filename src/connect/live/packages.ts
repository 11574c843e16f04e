// Clients of brokers: packages that only who uses one needs, loaded when the first connection is made.

import { messageOf, SluiceError } from '../../base/errors.ts'

/**
 * Loads a package that may not be there.
 *
 * @param load - imports it
 * @throws {SluiceError} CONFIG_INVALID with the command that installs it
 */
export async function loadPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    const allowed = `npm install ${name}`
    const found = messageOf(cause).split('\n', 1)[0] ?? ''
    const message = `Cannot load ${name}: run "${allowed}" (${found})`
    throw new SluiceError('CONFIG_INVALID', message, { key: name, value: undefined, allowed }, { cause })
  }
}
