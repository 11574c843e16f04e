// Our own assumptions: a broken one is a bug, is never caught, and stops the run.

/** Thrown when one of Sluice's own assumptions does not hold: always our bug, never the caller's. */
export class InvariantError extends Error {
  override readonly name: string = 'InvariantError'
}

/** Stops with an {@link InvariantError} unless `holds`. */
export function invariant(holds: boolean, message: string): asserts holds {
  if (!holds) throw new InvariantError(message)
}

/** The end of a switch over a union: reached only if a case was forgotten, which does not compile. */
export function unreachable(value: never): never {
  throw new InvariantError(`no case for ${JSON.stringify(value)}`)
}
