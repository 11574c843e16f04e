// How long a server asks to be left alone.

/**
 * The delay of a `Retry-After` header, in milliseconds: a number of seconds, or an HTTP date. Undefined if absent or
 * invalid.
 *
 * @param nowMs - epoch milliseconds
 * @example
 * retryAfterMs('2', 0) // => 2000
 * retryAfterMs('Thu, 01 Jan 1970 00:00:09 GMT', 4000) // => 5000
 * retryAfterMs('soon', 0) // => undefined
 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined
  const text = header.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs)
}
