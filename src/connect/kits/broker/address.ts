// The address of a broker, with its secrets kept apart from what may be shown.

import { addressInvalid, foundAddress } from '../config.ts'

export interface BrokerAddress {
  /** As the client expects it. */
  readonly url: URL
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
  /** For people: scheme, host and port. */
  readonly shown: string
}

/**
 * Parses the address of a broker.
 *
 * @param what - named in errors: `mqttSource`
 * @param ports - scheme → its default port
 * @throws {SluiceError} CONFIG_INVALID for an invalid address, which is not shown
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
    throw addressInvalid(what, allowed, foundAddress(given))
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

/** User or password, percent-decoded. */
function decoded(what: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    const allowed = 'user and password with every special character as %25, %40 and so on'
    throw addressInvalid(what, allowed, 'a % that is not followed by two hexadecimal digits')
  }
}
