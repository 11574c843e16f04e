// Where a Kafka cluster is, and the credentials.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { checkChoice } from '../../base/check.ts'
import { type BrokerAddress, brokerAddress } from '../kits/broker/address.ts'
import { addressInvalid } from '../kits/config.ts'

/** How user and password are sent. */
export type KafkaSasl = 'plain' | 'scram-sha-256' | 'scram-sha-512'

export interface KafkaPlace {
  /** Bootstrap servers: the first one that answers names the others. */
  readonly servers: readonly BrokerAddress[]
  readonly sasl: KafkaSasl
  /** Undefined without TLS. */
  readonly tls: TlsOptions | undefined
  /** For people: scheme, hosts and ports. */
  readonly shown: string
}

const PORTS = { kafka: 9092, kafkas: 9093 }

/**
 * Parses the addresses of a Kafka cluster: with TLS if they are `kafkas:`.
 *
 * @param what - for errors: `kafkaSource`
 * @throws {SluiceError} CONFIG_INVALID for an invalid address, without showing it
 */
export function kafkaPlace(
  what: string,
  given: string | URL | readonly (string | URL)[],
  { sasl = 'plain', tls = {} }: { readonly sasl?: KafkaSasl | undefined; readonly tls?: TlsOptions | undefined },
): KafkaPlace {
  checkChoice('sasl', sasl, ['plain', 'scram-sha-256', 'scram-sha-512'])
  const list: readonly (string | URL)[] = Array.isArray(given) ? given : [given]
  const servers = list.map((one) => brokerAddress(what, one, PORTS))
  const [first, ...others] = servers
  const same = ({ url, username, password }: BrokerAddress): string => `${url.protocol} ${username} ${password}`
  if (first === undefined || others.some((other) => same(other) !== same(first))) {
    const allowed = 'one address or more, of the same scheme, user and password'
    const found = first === undefined ? 'none' : 'different ones'
    throw addressInvalid(what, allowed, found)
  }
  const hosts = servers.map(({ url, port }) => `${url.hostname}:${port}`)
  return {
    servers,
    sasl,
    tls: first.url.protocol === 'kafkas:' ? tls : undefined,
    shown: `${first.url.protocol}//${hosts.join(',')}`,
  }
}

const TOPIC = /^[\w.-]{1,249}$/

/** Whether a topic may have this name. */
export function isTopic(name: unknown): name is string {
  return typeof name === 'string' && TOPIC.test(name) && name !== '.' && name !== '..'
}
