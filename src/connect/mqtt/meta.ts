// The metadata of an MQTT message: in a file of its own, so that users see this type and not those of the client.

import type { NamedTexts } from '../kits/text/named-texts.ts'

/** The metadata of a message. */
export interface MqttMeta {
  readonly topic: string
  readonly qos: 0 | 1 | 2
  /** Whether it is the retained message of its topic. */
  readonly isRetained: boolean
  /** User properties of MQTT 5; all values of a repeated name. */
  readonly headers: NamedTexts
  /** Properties of MQTT 5, as mqtt-packet names them. */
  readonly properties: Readonly<Record<string, unknown>> | undefined
}
