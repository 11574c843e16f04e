// JSON numbers that JavaScript's numbers would round, recognized by how they are written.

/** What happens to an integer beyond 2^53: rejected, made a bigint, or rounded. */
export type JsonBigInts = 'reject' | 'bigint' | 'number'

export const BIGINTS: readonly JsonBigInts[] = ['reject', 'bigint', 'number']

/** Thrown from a reviver to end JSON.parse, as nothing else does. */
export class InexactNumber extends Error {}

/** Digits of a number that may be over 2^53, or an exponent that may be out of range. */
const SUSPICIOUS = /(?:^|[:,[\s-])[0-9]{16}|[0-9][eE]\+?0*[1-9][0-9]{2}/

const WHOLE = /^-?[0-9]+$/

/** The most digits of a bigint. */
const MAX_DIGITS = 1000

/** Whether a text may contain a number that {@link exactNumber} has to check. */
export function mayBeInexact(text: string): boolean {
  return SUSPICIOUS.test(text)
}

/**
 * A reviver for JSON.parse that checks numbers. One with a fraction or an exponent is floating point, as precise as
 * that is; integers are exact.
 *
 * @param refused - returns a replacement for a number that cannot be kept; by default it throws {@link InexactNumber}
 *   from JSON.parse
 */
export function exactNumber(
  bigints: JsonBigInts,
  refused: (reason: string) => unknown = refuse,
): (key: string, value: unknown, context?: { source?: string }) => unknown {
  return (_key, value, context) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    const written = context?.source ?? ''
    if (bigints !== 'number' && WHOLE.test(written)) {
      if (bigints === 'bigint' && written.length <= MAX_DIGITS) return BigInt(written)
      return refused(`the number ${shown(written)} is over 2^53`)
    }
    if (!Number.isFinite(value)) return refused(`the number ${shown(written)} is too large`)
    return value
  }
}

function shown(written: string): string {
  return written.length > 40 ? `${written.slice(0, 40)}…` : written
}

function refuse(reason: string): never {
  throw new InexactNumber(reason)
}
