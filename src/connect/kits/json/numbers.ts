// Numbers of JSON that JavaScript's numbers would round: told by how they are written.

/** What becomes of a whole number beyond 2^53: refused, made a bigint, or rounded. */
export type JsonBigInts = 'reject' | 'bigint' | 'number'

export const BIGINTS: readonly JsonBigInts[] = ['reject', 'bigint', 'number']

/** Thrown out of JSON.parse by a reviver, as nothing else ends it. */
export class InexactNumber extends Error {}

/** Digits of a number that may be over 2^53, or an exponent that may be over what there is. */
const SUSPICIOUS = /(?:^|[:,[\s-])[0-9]{16}|[0-9][eE]\+?0*[1-9][0-9]{2}/

const WHOLE = /^-?[0-9]+$/

/** Most digits of a bigint. */
const MAX_DIGITS = 1000

/** Whether a number may be in a text that {@link exactNumber} has to look at. */
export function mayBeInexact(text: string): boolean {
  return SUSPICIOUS.test(text)
}

/**
 * A reviver for JSON.parse that looks after its numbers. One with a fraction or an exponent is floating point, as far
 * as that goes; whole ones are exact.
 *
 * @param refused - gives what stands in place of a number that cannot be kept; by default it throws {@link InexactNumber}
 *   out of JSON.parse
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
    if (!Number.isFinite(value)) return refused(`the number ${shown(written)} is over what a number can be`)
    return value
  }
}

function shown(written: string): string {
  return written.length > 40 ? `${written.slice(0, 40)}…` : written
}

function refuse(reason: string): never {
  throw new InexactNumber(reason)
}
