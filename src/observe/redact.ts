// Keeps secrets out of what is printed.

const CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)([^\s/@:]*)(?::[^\s/]*)?@(?=[^\s@]*)/gi

/**
 * `text` with the credentials of every URL taken out.
 *
 * @example
 * redact('cannot reach postgres://ann:p%40ss@db:5432/x') // => 'cannot reach postgres://***@db:5432/x'
 */
export function redact(text: string): string {
  return text.replace(CREDENTIALS, '$1***@')
}
