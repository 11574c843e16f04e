// Text in double quotes, in which a backslash escapes a quote.

const BACKSLASH = 0x5c

/**
 * The position of the quote that closes what begins at `from`; -1 if it is not closed. A quote after an odd number of
 * backslashes is escaped; each backslash is counted for one quote only, so that the work stays linear.
 */
export function endOfQuoted(text: string, from: number): number {
  let quote = text.indexOf('"', from)
  while (quote > from && text.charCodeAt(quote - 1) === BACKSLASH) {
    if (!isEscapedAt(text, from, quote)) return quote
    quote = text.indexOf('"', quote + 1)
  }
  return quote
}

/** Whether an odd number of backslashes precedes a quote, from `from` on. */
export function isEscapedAt(text: string, from: number, quote: number): boolean {
  let at = quote
  while (at > from && text.charCodeAt(at - 1) === BACKSLASH) at -= 1
  return (quote - at) % 2 === 1
}
