// Where requests go, and what must never be shown of it: credentials, paths and queries may all contain secrets.

import { messageOf, SluiceError } from '../../../base/errors.ts'
import { untilAborted } from '../../../base/promise.ts'
import { addressInvalid, foundAddress } from '../config.ts'
import type { NamedTexts } from '../text/named-texts.ts'

/** Headers of requests: fixed, or computed before each attempt, for expiring tokens. */
export type HeaderSource = NamedTexts | (() => NamedTexts | Promise<NamedTexts>)

const HTTP = ['http', 'https']

/** The address of a server, with its secrets kept apart. */
export class Address {
  /** The requested URL, without user and password. */
  readonly url: string
  /** For people: scheme, host and port, nothing more. */
  readonly shown: string
  readonly #headers: HeaderSource
  readonly #authorization: string | undefined
  /** Parts of headers and URL that must not be shown. */
  readonly #secrets = new Set<string>()

  /**
   * @throws {SluiceError} CONFIG_INVALID for an invalid URL or scheme, which is not shown
   */
  constructor(what: string, url: string | URL, headers: HeaderSource = {}, schemes: readonly string[] = HTTP) {
    const parsed = parse(what, url, schemes)
    const { username, password } = parsed
    for (const secret of [username, password]) if (secret !== '') this.#hide(secret, decoded(secret))
    for (const value of parsed.searchParams.values()) this.#hide(value)
    this.#authorization =
      username === '' && password === ''
        ? undefined
        : `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`
    parsed.username = ''
    parsed.password = ''
    parsed.hash = ''
    this.url = parsed.href
    this.shown = parsed.origin
    this.#headers = headers
    // An invalid header is reported when the plan is made.
    if (typeof headers !== 'function') this.#checked(headers)
  }

  /** The headers of the next attempt. An aborted signal ends the wait for them, with its reason. */
  async headers(signal?: AbortSignal): Promise<Headers> {
    const given = this.#headers
    const own = typeof given === 'function' ? await untilAborted((async () => await given())(), signal) : given
    const headers = this.#checked(own)
    if (this.#authorization !== undefined && !headers.has('authorization')) {
      headers.set('authorization', this.#authorization)
      this.#hide(this.#authorization)
    }
    return headers
  }

  /** `text` without any secret that was sent: servers often echo what they received. */
  withoutSecrets(text: string): string {
    let clean = text
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, '***')
    return clean
  }

  #checked(own: NamedTexts): Headers {
    const headers = new Headers()
    for (const [name, texts] of Object.entries(own)) {
      for (const value of [texts].flat()) {
        if (!isAdded(headers, name, value)) {
          const allowed = 'a name and a value as HTTP allows them'
          const message = `Cannot send the header ${JSON.stringify(name.slice(0, 60))} to ${this.shown}: it takes ${allowed}`
          throw new SluiceError('CONFIG_INVALID', message, { key: 'headers', value: name, allowed })
        }
        this.#hide(value, value.replace(/^\S+ /, ''))
      }
    }
    return headers
  }

  #hide(...secrets: readonly string[]): void {
    // A short value is not a secret, and would mutilate words.
    for (const secret of secrets) if (secret.length >= 6 && this.#secrets.size < 1000) this.#secrets.add(secret)
  }
}

/** Adds a header; false if it is invalid in HTTP. The system's own error would show the value. */
function isAdded(headers: Headers, name: string, value: unknown): value is string {
  try {
    if (typeof value === 'string') headers.append(name, value)
    return typeof value === 'string'
  } catch {
    return false
  }
}

function parse(what: string, url: string | URL, schemes: readonly string[]): URL {
  const allowed = `an address of ${schemes.join(' or ')}`
  const fail = (found: string) => addressInvalid(what, allowed, found)
  if ((typeof url !== 'string' && !(url instanceof URL)) || url === '') throw fail(foundAddress(url))
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    // The text may contain a password: it is not shown, nor is an error that contains it.
    throw fail(foundAddress(url))
  }
  if (!schemes.includes(parsed.protocol.slice(0, -1))) throw fail(`the scheme ${parsed.protocol}`)
  return parsed
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    // A literal %.
    return messageOf(error) === '' ? '' : text
  }
}
