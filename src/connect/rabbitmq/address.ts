// Where RabbitMQ is.

import { type BrokerAddress, brokerAddress } from '../kits/broker/address.ts'

export interface RabbitAddress {
  readonly address: BrokerAddress
  /** The virtual host: the path of the address, `/` where there is none. */
  readonly vhost: string
}

/**
 * Reads the address of RabbitMQ.
 *
 * @param what - who is told of it: `rabbitmq`
 * @throws {SluiceError} CONFIG_INVALID for what is none, without showing it
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
    // A % that stands for itself.
    return path
  }
}
