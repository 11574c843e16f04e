// Where an MQTT broker is.

import { type BrokerAddress, brokerAddress } from '../kits/broker/address.ts'
import { addressInvalid } from '../kits/config.ts'

/**
 * Parses the address of an MQTT broker.
 *
 * @param what - for errors: `mqttSource`
 * @throws {SluiceError} CONFIG_INVALID for an invalid address, without showing it
 */
export function mqttAddress(what: string, url: string | URL): BrokerAddress {
  const address = brokerAddress(what, url, { mqtt: 1883, mqtts: 8883 })
  if (address.password === undefined || address.username !== undefined) return address
  throw addressInvalid(what, 'a password only with a user', 'one alone')
}
