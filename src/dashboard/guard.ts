// Who may ask what: the names that the page is reached by, where requests come from, and their token.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isForeignSite, isSameOrigin } from '../base/web-origin.ts'

/** What a request is turned away with. */
export interface Refusal {
  readonly status: number
  readonly why: string
}

export interface GuardOptions {
  /** Asked of everybody who wants to see more than the empty page; undefined where this machine alone can reach it. */
  readonly token: string | undefined
  /** Names by which it may be reached, beside those of this machine; without ports. */
  readonly hosts: readonly string[]
}

export interface Asking {
  readonly method: string
  readonly headers: IncomingHttpHeaders
}

const OWN_NAMES = ['localhost', '127.0.0.1', '[::1]']

/**
 * Turns requests away.
 *
 * - A name in `Host` that is not ours is one that somebody else made point here (DNS rebinding): 421.
 * - A page of another origin may ask for nothing, whatever it does with the answer: 403.
 * - With a token, nothing is shown without it: as `Authorization: Bearer`, or as the cookie that signing in gave: 401.
 * - What changes something also needs the token of changes, which only a page of ours can read, or the bearer's: 403.
 */
export class Guard {
  readonly #token: string | undefined
  readonly #names: ReadonlySet<string>
  readonly #session = secret()
  /** What a page of ours sends along with every change. */
  readonly changeToken: string = secret()

  constructor({ token, hosts }: GuardOptions) {
    this.#token = token
    this.#names = new Set([...OWN_NAMES, ...hosts].flatMap((host) => nameOf(host) ?? []))
  }

  /** Whether a request comes by a name of ours and from a page of ours, or from no page. */
  refuseStranger({ headers }: Asking): Refusal | undefined {
    const { host = '', origin } = headers
    const name = nameOf(host)
    if (name === undefined || !this.#names.has(name))
      return { status: 421, why: 'Not reached by a name that is allowed' }
    if (origin !== undefined && !isSameOrigin(origin, host)) return { status: 403, why: 'Asked by another origin' }
    return undefined
  }

  /** Images, frames and scripts of other sites come without an origin, but say so. Links to the page itself may. */
  refuseForeignPage({ headers }: Asking): Refusal | undefined {
    return isForeignSite(headers['sec-fetch-site']) ? { status: 403, why: 'Asked by another site' } : undefined
  }

  refuseUnknown(asking: Asking): Refusal | undefined {
    if (this.#token === undefined || this.#isBearer(asking)) return undefined
    const cookie = cookieOf(asking.headers.cookie, this.#cookieName(asking.headers.host))
    if (cookie !== undefined && isEqual(cookie, this.#session)) return undefined
    return { status: 401, why: 'Needs the token of the dashboard' }
  }

  refuseChange(asking: Asking): Refusal | undefined {
    if (this.#isBearer(asking)) return undefined
    const given = asking.headers['x-sluice-token']
    if (typeof given === 'string' && isEqual(given, this.changeToken)) return undefined
    return { status: 403, why: 'Needs the token of changes in x-sluice-token, as /api/session gives it' }
  }

  /** The cookie for who knows the token; undefined for who does not. */
  signIn(token: string, { headers }: Asking): string | undefined {
    if (this.#token === undefined || !isEqual(token, this.#token)) return undefined
    const secure = headers.origin?.startsWith('https:') === true ? '; Secure' : ''
    return `${this.#cookieName(headers.host)}=${this.#session}; HttpOnly; SameSite=Strict; Path=/${secure}`
  }

  #isBearer({ headers }: Asking): boolean {
    const [, given] = /^Bearer (\S{1,512})$/i.exec(headers.authorization ?? '') ?? []
    return this.#token !== undefined && given !== undefined && isEqual(given, this.#token)
  }

  /** Browsers keep cookies by name alone: several dashboards on one machine tell theirs apart by the port. */
  #cookieName(host = ''): string {
    return `sluice-${/:(\d{1,5})$/.exec(host)?.[1] ?? 'default'}`
  }
}

/** `Example.org:8080` is `example.org`; undefined for what is no host. */
export function nameOf(host: string): string | undefined {
  const [, name] = /^(\[[0-9a-f:.]{2,45}\]|[\w.-]{1,253})(?::\d{1,5})?$/i.exec(host) ?? []
  return name?.toLowerCase()
}

function cookieOf(cookies: string | undefined, name: string): string | undefined {
  for (const cookie of (cookies ?? '').split(';')) {
    const at = cookie.indexOf('=')
    if (cookie.slice(0, at).trim() === name) return cookie.slice(at + 1).trim()
  }
  return undefined
}

/** In a time that does not tell how much of it was right. */
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

function secret(): string {
  return randomBytes(32).toString('base64url')
}
