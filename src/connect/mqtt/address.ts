// Where an MQTT broker is.

import { type BrokerAddress, brokerAddress } from '../kits/broker/address.ts'
import { addressInvalid } from '../kits/config.ts'

/**
 * Reads the address of an MQTT broker.
 *
 * @param what - who is told of it: `mqtt`
 * @throws {SluiceError} CONFIG_INVALID for what is none, without showing it
 */
export function mqttAddress(what: string, url: string | URL): BrokerAddress {
  const address = brokerAddress(what, url, { mqtt: 1883, mqtts: 8883 })
  if (address.password === undefined || address.username !== undefined) return address
  throw addressInvalid(what, 'a password only with a user', 'one alone')
}
