// Keeps secrets out of the output.

// A name alone (a token), or a name and a password. A password may hold anything but white space, even @ and /, and
// differs from a port by not being a number followed by a path. Every part is bounded: the time is linear in the text.
const CREDENTIALS =
  /([a-z][a-z0-9+.-]{0,31}:\/\/)(?:[^\s/@:]{0,256}:(?!\d{1,5}(?:[/?#]|\s|$))\S{0,1024}|[^\s/@:]{1,256})@/gi

const SECRET_NAME = 'passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|signature|credential'

// A value after a telling name: in the query of a URL, in a connection string, in a parameter.
const NAMED = new RegExp(
  `(?<![\\w.-])([\\w.-]{0,32}(?:${SECRET_NAME})[\\w.-]{0,32}=)(?:"[^"]{0,1024}"|'[^']{0,1024}'|[^\\s&;,#"'<>]{1,1024})`,
  'gi',
)

/** Whether a name denotes a secret: `password`, `apiToken`. */
export function isSecretName(name: string): boolean {
  return new RegExp(SECRET_NAME, 'i').test(name)
}

/**
 * `text` without the credentials of URLs, and without values called password, token, secret or key (`token=…`). What
 * might be credentials is removed, too.
 *
 * @example
 * redact('cannot reach postgres://ann:p%40ss@db:5432/x') // => 'cannot reach postgres://***@db:5432/x'
 */
export function redact(text: string): string {
  const named = text.includes('=') ? text.replace(NAMED, '$1***') : text
  return named.includes('://') && named.includes('@') ? named.replace(CREDENTIALS, '$1***@') : named
}
