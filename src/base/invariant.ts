// Assumptions of our own: broken ones are bugs, are never caught, and stop the run.

/** Thrown when one of Sluice's own assumptions does not hold: always a bug of ours, never of the caller. */
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
