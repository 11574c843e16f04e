// Errors of a sink's server, which name the sink, what was tried and the server's reason.

import { SluiceError } from '../../../base/errors.ts'
import { unreachable } from '../../../base/invariant.ts'
import { errorKind, reasonOf } from '../errors.ts'

/** Turns an error into one that the caller can act on; one that did not come from the server is unchanged. */
export function sinkError(
  thrown: unknown,
  { sink, table }: { readonly sink: string; readonly table: string },
  act: string,
): unknown {
  const kind = thrown instanceof SluiceError ? undefined : errorKind(thrown)
  if (kind === undefined) return thrown
  const reason = reasonOf(thrown)
  const message = `Cannot ${act} ${sink}: ${reason}`
  const options = { cause: thrown }
  switch (kind) {
    case 'lost':
      return new SluiceError('SINK_LOST', message, { sink, reason }, options)
    case 'untrusted':
      return new SluiceError('SINK_UNREACHABLE', message, { sink, attempts: 1 }, options)
    case 'settings': {
      const allowed = 'a user, a password and a database that the server knows'
      return new SluiceError('CONFIG_INVALID', message, { key: 'connection', value: sink, allowed }, options)
    }
    case 'row':
    case 'missing':
    case 'unfit':
      return new SluiceError('SINK_MISMATCH', message, { sink, table, found: reason }, options)
    default:
      return unreachable(kind)
  }
}
