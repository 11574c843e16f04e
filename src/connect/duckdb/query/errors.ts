// Errors of queries, which name the file and DuckDB's reason.

import { messageOf, SluiceError } from '../../../base/errors.ts'

interface Query {
  readonly path: string
  readonly source: string
  readonly signal: AbortSignal | undefined
}

/** Turns DuckDB's error on a query into one that the caller can act on. */
export function queryError(error: unknown, { path, source, signal }: Query, offset = 0): unknown {
  if (signal?.aborted === true) return signal.reason
  if (error instanceof SluiceError) return error
  const found = messageOf(error).split('\n', 1)[0] ?? ''
  const message = `Cannot read ${source} in ${JSON.stringify(path)}: ${found}`
  const options = { cause: error }
  if (/^Catalog Error: Table .* does not exist/.test(found)) {
    return new SluiceError('SOURCE_MISSING', message, { source: `${source} in ${path}` }, options)
  }
  if (/^(Parser|Binder|Catalog) Error/.test(found)) {
    const allowed = 'SQL that DuckDB accepts'
    return new SluiceError('CONFIG_INVALID', message, { key: 'query', value: source, allowed }, options)
  }
  if (/^Out of Memory Error/.test(found)) {
    const allowed = 'more than that'
    return new SluiceError('CONFIG_INVALID', message, { key: 'memory', value: undefined, allowed }, options)
  }
  return new SluiceError('SOURCE_UNREADABLE', message, { source: path, offset, errno: 'unknown' }, options)
}
