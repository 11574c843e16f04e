// Clients of databases and brokers, and codecs: packages that only who uses them needs, loaded when they are needed.

import { messageOf, SluiceError } from '../../base/errors.ts'

/**
 * The packages that may be missing, each with the release to install: the command goes on working when a later one
 * comes. No range matches a release of DuckDB, as they are all prereleases: the newest is taken.
 */
export const RELEASES: Readonly<Record<string, string>> = {
  '@duckdb/node-api': 'latest',
  '@nats-io/jetstream': '3',
  '@nats-io/transport-node': '3',
  '@platformatic/kafka': '2',
  amqplib: '2',
  'hyparquet-writer': '0.17',
  'mqtt-packet': '9',
  pg: '8',
  'pg-cursor': '2',
  redis: '6',
  ws: '8',
}

/**
 * Loads a package that may not be there: one of ours in the release that fits, another one in its latest.
 *
 * @param name - the package
 * @param load - imports it
 * @throws {SluiceError} CONFIG_INVALID with the command that installs it
 */
export async function loadPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw unusable(name, messageOf(cause).split('\n', 1)[0] ?? '', cause)
  }
}

/** What is said of a package that is missing, or not of the release that is needed. */
export function unusable(name: string, found: string, cause?: unknown): SluiceError<'CONFIG_INVALID'> {
  const allowed = `npm install ${name}@${RELEASES[name] ?? 'latest'}`
  const message = `Cannot load ${name}: run "${allowed}" (${found})`
  return new SluiceError('CONFIG_INVALID', message, { key: name, value: undefined, allowed }, { cause })
}
