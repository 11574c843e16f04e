// Where an MQTT broker is.

import { SluiceError } from '../../base/errors.ts'
import { type BrokerAddress, brokerAddress } from '../kits/broker/address.ts'

/**
 * Reads the address of an MQTT broker.
 *
 * @param what - who is told of it: `mqtt`
 * @throws {SluiceError} CONFIG_INVALID for what is none, without showing it
 */
export function mqttAddress(what: string, url: string | URL): BrokerAddress {
  const address = brokerAddress(what, url, { mqtt: 1883, mqtts: 8883 })
  if (address.password === undefined || address.username !== undefined) return address
  const allowed = 'a password only with a user'
  const message = `Cannot use the address of ${what}: it takes ${allowed}, found one alone`
  throw new SluiceError('CONFIG_INVALID', message, { key: 'url', value: undefined, allowed })
}
