// Clients of databases and brokers, and codecs: optional packages, loaded on demand.

import { messageOf, SluiceError } from '../../base/errors.ts'

/**
 * The packages that may be missing, each with the release to install: the command still works after later releases. All
 * releases of DuckDB are prereleases, which no range matches: the newest is taken.
 */
export const RELEASES: Readonly<Record<string, string>> = {
  '@bufbuild/protobuf': '2',
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
 * Loads a package that may be missing: one of ours in a suitable release, another one in its latest.
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

/** The error for a package that is missing, or of an unsuitable release. */
export function unusable(name: string, found: string, cause?: unknown): SluiceError<'CONFIG_INVALID'> {
  const allowed = `npm install ${name}@${RELEASES[name] ?? 'latest'}`
  const message = `Cannot load ${name}: run "${allowed}" (${found})`
  return new SluiceError('CONFIG_INVALID', message, { key: name, value: undefined, allowed }, { cause })
}
