// Where a broker is, with its secrets kept apart from what may be shown.

import { describeValue } from '../../../base/check.ts'
import { addressInvalid } from '../config.ts'

export interface BrokerAddress {
  /** As the client takes it. */
  readonly url: URL
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
  /** For people: scheme, host and port. */
  readonly shown: string
}

/**
 * Reads the address of a broker.
 *
 * @param what - who is told of it: `mqtt`
 * @param ports - scheme → the port where none is named
 * @throws {SluiceError} CONFIG_INVALID for what is none, without showing it
 */
export function brokerAddress(
  what: string,
  given: string | URL,
  ports: Readonly<Record<string, number>>,
): BrokerAddress {
  const schemes = Object.keys(ports)
  const allowed = `an address such as ${schemes[0]}://host`
  const url = URL.canParse(String(given)) ? new URL(given) : undefined
  const scheme = url?.protocol.slice(0, -1) ?? ''
  const port = Number(url?.port === '' ? ports[scheme] : url?.port)
  if (url === undefined || !schemes.includes(scheme) || url.hostname === '') {
    // What it is may be a secret in the wrong place: only its kind is told.
    throw addressInvalid(what, allowed, typeof given === 'string' ? 'a text that is none' : describeValue(given))
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const [username, password] = [url.username, url.password].map((text) =>
    text === '' ? undefined : decoded(what, text),
  )
  return {
    url,
    host,
    port,
    username,
    password,
    shown: `${scheme}://${url.hostname}:${port}`,
  }
}

/** User or password without what an address puts in place of odd characters. */
function decoded(what: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    const allowed = 'user and password with every odd character as %25, %40 and so on'
    throw addressInvalid(what, allowed, 'a % that is none of these')
  }
}
