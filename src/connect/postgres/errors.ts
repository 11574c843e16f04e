// Errors of a PostgreSQL server, classified by who can fix them.

import { messageOf } from '../../base/errors.ts'

/** The connection is gone, or was never established: not an answer of the server. */
export class ConnectionLost extends Error {
  override readonly name: string = 'ConnectionLost'
}

/**
 * - `lost`: temporary; a retry may help
 * - `settings`: user, password or database are wrong
 * - `untrusted`: the server cannot prove who it is, or does not encrypt
 * - `row`: constraints, triggers or types of the table reject a row
 * - `missing`: the table does not exist
 * - `unfit`: anything else that the server rejects, and will reject again
 */
export type ErrorKind = 'lost' | 'settings' | 'untrusted' | 'row' | 'missing' | 'unfit'

interface ServerError extends Error {
  /** Five characters. */
  readonly code: string
  readonly severity?: string
  readonly constraint?: string
  readonly column?: string
  readonly detail?: string
}

/** Codes classified differently from others of their class. */
const CODES: Readonly<Record<string, ErrorKind>> = {
  // The table no longer has the same types.
  '22P03': 'unfit',
  '22P04': 'unfit',
  '25006': 'lost',
  '25P03': 'lost',
  '25P04': 'lost',
  '42P01': 'missing',
  '55P03': 'lost',
  '55006': 'lost',
  '55000': 'lost',
}

const CLASSES: Readonly<Record<string, ErrorKind>> = {
  '08': 'lost',
  '09': 'row',
  '20': 'row',
  '21': 'row',
  '22': 'row',
  '23': 'row',
  '27': 'row',
  '28': 'settings',
  '38': 'row',
  '39': 'row',
  '3D': 'settings',
  '40': 'lost',
  '44': 'row',
  '53': 'lost',
  '54': 'row',
  '57': 'lost',
  '58': 'lost',
  F0: 'lost',
  P0: 'row',
  XX: 'lost',
}

/** Classes of errors that no row can cause. */
const OTHER_CLASSES: ReadonlySet<string> = new Set(
  '00 01 02 03 0A 0B 0F 0L 0P 0Z 24 25 26 2B 2D 2F 34 3B 3F 42 55 72 HV'.split(' '),
)

/** The kind of an error; undefined for one that is not related to a server. */
export function errorKind(thrown: unknown): ErrorKind | undefined {
  if (thrown instanceof ConnectionLost) return lostKind(thrown)
  const code = sqlStateOf(thrown)
  if (code === undefined) return undefined
  const kind = CODES[code] ?? CLASSES[code.slice(0, 2)]
  if (kind !== undefined) return kind
  // A trigger may raise any code of its own.
  return OTHER_CLASSES.has(code.slice(0, 2)) ? 'unfit' : 'row'
}

/** The server's code of five characters; undefined if the error did not come from the server. */
export function sqlStateOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('severity' in thrown)) return undefined
  const { code } = thrown as ServerError
  return typeof code === 'string' && code.length === 5 ? code : undefined
}

/** The server's message of an error, with its code: `duplicate key value … (23505, constraint t_pkey)`. */
export function reasonOf(thrown: unknown): string {
  const code = sqlStateOf(thrown)
  if (code === undefined) return messageOf(thrown)
  const { constraint, column } = thrown as ServerError
  const where =
    constraint !== undefined ? `, constraint ${constraint}` : column !== undefined ? `, column ${column}` : ''
  return `${messageOf(thrown)} (${code}${where})`
}

/** Invalid certificates and names, and missing passwords, are only recognized by the client's messages. */
function lostKind({ cause, message }: ConnectionLost): ErrorKind {
  const code = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? '') : ''
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) return 'untrusted'
  if (/does not support SSL|establishing an SSL connection/.test(message)) return 'untrusted'
  return /^(SASL|Password must be)/.test(message) ? 'settings' : 'lost'
}
