// Who may ask what: allowed host names, origins of requests, and tokens.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isForeignSite, isSameOrigin } from '../base/web-origin.ts'

/** A rejected request: status and reason. */
export interface Refusal {
  readonly status: number
  readonly why: string
}

export interface GuardOptions {
  /** Required for everything but the empty page; undefined if only this machine can reach it. */
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
 * Rejects requests.
 *
 * - An unknown name in `Host` may have been pointed here by someone else (DNS rebinding): 421.
 * - A page of another origin may request nothing, whatever it does with the answer: 403.
 * - If there is a token, nothing is shown without it: as `Authorization: Bearer`, or as the cookie set at sign-in: 401.
 * - Changes also need the change token, which only our own page can read, or the bearer token: 403.
 */
export class Guard {
  readonly #token: string | undefined
  readonly #names: ReadonlySet<string>
  readonly #session = secret()
  /** What our page sends along with every change. */
  readonly changeToken: string = secret()

  constructor({ token, hosts }: GuardOptions) {
    this.#token = token
    this.#names = new Set([...OWN_NAMES, ...hosts].flatMap((host) => nameOf(host) ?? []))
  }

  /** Whether a request uses an allowed host name and comes from our own page, or from no page. */
  refuseStranger({ headers }: Asking): Refusal | undefined {
    const { host = '', origin } = headers
    const name = nameOf(host)
    if (name === undefined || !this.#names.has(name)) return { status: 421, why: 'This host name is not allowed' }
    if (origin !== undefined && !isSameOrigin(origin, host))
      return { status: 403, why: 'Requests from other origins are not allowed' }
    return undefined
  }

  /** Images, frames and scripts of other sites send no origin, but say so. Links to the page itself are allowed. */
  refuseForeignPage({ headers }: Asking): Refusal | undefined {
    return isForeignSite(headers['sec-fetch-site'])
      ? { status: 403, why: 'Requests from other sites are not allowed' }
      : undefined
  }

  refuseUnknown(asking: Asking): Refusal | undefined {
    if (this.#token === undefined || this.#isBearer(asking)) return undefined
    const cookie = cookieOf(asking.headers.cookie, this.#cookieName(asking.headers.host))
    if (cookie !== undefined && isEqual(cookie, this.#session)) return undefined
    return { status: 401, why: 'The dashboard token is required' }
  }

  refuseChange(asking: Asking): Refusal | undefined {
    if (this.#isBearer(asking)) return undefined
    const given = asking.headers['x-sluice-token']
    if (typeof given === 'string' && isEqual(given, this.changeToken)) return undefined
    return { status: 403, why: 'The change token is required in x-sluice-token, as /api/session returns it' }
  }

  /** The cookie for a visitor with the right token; undefined otherwise. */
  signIn(token: string, { headers }: Asking): string | undefined {
    if (this.#token === undefined || !isEqual(token, this.#token)) return undefined
    const secure = headers.origin?.startsWith('https:') === true ? '; Secure' : ''
    return `${this.#cookieName(headers.host)}=${this.#session}; HttpOnly; SameSite=Strict; Path=/${secure}`
  }

  #isBearer({ headers }: Asking): boolean {
    const [, given] = /^Bearer (\S{1,512})$/i.exec(headers.authorization ?? '') ?? []
    return this.#token !== undefined && given !== undefined && isEqual(given, this.#token)
  }

  /** Browsers keep cookies by host name alone: the port tells several dashboards on one machine apart. */
  #cookieName(host = ''): string {
    return `sluice-${/:(\d{1,5})$/.exec(host)?.[1] ?? 'default'}`
  }
}

/** `Example.org:8080` becomes `example.org`; undefined if it is not a host. */
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

/** In constant time, so that it does not reveal how much was right. */
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

function secret(): string {
  return randomBytes(32).toString('base64url')
}
