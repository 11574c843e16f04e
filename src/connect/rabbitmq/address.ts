// Where RabbitMQ is.

import { type BrokerAddress, brokerAddress } from '../kits/broker/address.ts'

export interface RabbitAddress {
  readonly address: BrokerAddress
  /** The virtual host: the path of the address, `/` by default. */
  readonly vhost: string
}

/**
 * Parses the address of RabbitMQ.
 *
 * @param what - for errors: `rabbitmqSource`
 * @throws {SluiceError} CONFIG_INVALID for an invalid address, without showing it
 */
export function rabbitAddress(what: string, url: string | URL): RabbitAddress {
  const address = brokerAddress(what, url, { amqp: 5672, amqps: 5671 })
  const path = address.url.pathname.slice(1)
  return { address, vhost: path === '' ? '/' : decoded(path) }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // A literal %.
    return path
  }
}
