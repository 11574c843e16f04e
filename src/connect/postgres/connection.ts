// The address of a PostgreSQL server: what users specify, checked, and as it may be shown. Passwords are never shown.

import { checkKeys, describeValue } from '../../base/check.ts'
import { SluiceError } from '../../base/errors.ts'
import { foundAddress } from '../kits/config.ts'

/**
 * A PostgreSQL server and a database in it. Omitted settings come from the environment (`PGHOST`, `PGPORT`, `PGUSER`,
 * `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE`), else from the defaults of the client.
 */
export interface PostgresConnection {
  /** A host name, an IP address, or the folder of a Unix socket. */
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly user?: string
  readonly password?: string | (() => string | Promise<string>)
  /**
   * `true` encrypts and verifies the server's certificate and name; an object holds options of `node:tls` (`ca`,
   * `cert`, `key`). There is no fallback to a weaker mode.
   */
  readonly ssl?: boolean | object
  /** Session settings as command line options: `-c statement_timeout=5min`. */
  readonly options?: string
}

const KEYS = ['host', 'port', 'database', 'user', 'password', 'ssl', 'options']

/** Instead of what may contain a password. */
const NOT_SHOWN = '(not shown)'

/**
 * The server and database of a connection, for people: without user and password.
 *
 * @throws {SluiceError} CONFIG_INVALID for an invalid connection, of which nothing is shown
 * @example
 * addressOf('postgres://ann:p%40ss@db.example/shop') // => 'db.example:5432/shop'
 */
export function addressOf(connection: string | PostgresConnection): string {
  if (typeof connection === 'string') return addressOfUrl(connection)
  if (connection === undefined) throw invalid(foundAddress(connection))
  if (typeof connection !== 'object' || connection === null) {
    throw new TypeError(`A connection must be a URL or an object: found ${describeValue(connection)}`)
  }
  checkKeys('A PostgreSQL connection', connection, KEYS)
  return shown(connection.host, connection.port, connection.database, connection.user)
}

/** A connection in the client's own form. */
export function clientOptions(connection: string | PostgresConnection): Record<string, unknown> {
  return typeof connection === 'string' ? { connectionString: connection } : { ...connection }
}

function addressOfUrl(text: string): string {
  if (text === '') throw invalid(foundAddress(text))
  const url = /^postgres(ql)?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined
  // What follows an unescaped / or ? in a password would be taken for the database, and shown.
  if (url === undefined || /[@/]/.test(url.pathname.slice(1)) || url.search.includes('@') || url.hash !== '')
    throw invalid()
  const host = url.searchParams.get('host') ?? decoded(url.hostname)
  const port = url.searchParams.get('port') ?? url.port
  return shown(host, port, decoded(url.pathname.slice(1)), decoded(url.username))
}

function shown(
  host: string | null | undefined,
  port: string | number | null | undefined,
  database: string | null | undefined,
  user: string | undefined,
): string {
  const { PGHOST, PGPORT, PGDATABASE, PGUSER, USER } = process.env
  const name = database || PGDATABASE || user || PGUSER || USER || 'postgres'
  return `${host || PGHOST || 'localhost'}:${port || PGPORT || 5432}/${name}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign that is not part of a code.
    throw invalid()
  }
}

function invalid(found?: string): SluiceError<'CONFIG_INVALID'> {
  // Not as an example with a password in its place, which would not be printed.
  const allowed =
    'postgres://host:port/database, with user:password@ ahead of the host, and /, @, ?, # and % in names and password as %2F, %40 and so on'
  const told = found === undefined ? '' : `, found ${found}`
  const message = `Cannot use the URL of a PostgreSQL connection: it takes ${allowed}${told}`
  return new SluiceError('CONFIG_INVALID', message, { key: 'connection', value: NOT_SHOWN, allowed })
}
