// Keeps secrets out of what is printed.

// A name alone (a token), or a name and a password. A password may hold anything but white space, even @ and /, and is
// told from a port by not being a number that a path follows. Every part is bounded: the time is linear in the text.
const CREDENTIALS =
  /([a-z][a-z0-9+.-]{0,31}:\/\/)(?:[^\s/@:]{0,256}:(?!\d{1,5}(?:[/?#]|\s|$))\S{0,1024}|[^\s/@:]{1,256})@/gi

/**
 * `text` with the credentials of every URL taken out. What it cannot tell from credentials goes, too.
 *
 * @example
 * redact('cannot reach postgres://ann:p%40ss@db:5432/x') // => 'cannot reach postgres://***@db:5432/x'
 */
export function redact(text: string): string {
  return text.includes('://') ? text.replace(CREDENTIALS, '$1***@') : text
}
