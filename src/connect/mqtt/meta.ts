// What comes with a message of MQTT: a file of its own, as users see the type, and not those of the client.

import type { NamedTexts } from '../kits/text/named-texts.ts'

/** What came with a message. */
export interface MqttMeta {
  readonly topic: string
  readonly qos: 0 | 1 | 2
  /** Whether it is the topic's last one of earlier days, kept by the broker. */
  readonly isRetained: boolean
  /** User properties of MQTT 5; of a name that comes several times all of its values. */
  readonly headers: NamedTexts
  /** Properties of MQTT 5, as mqtt-packet names them. */
  readonly properties: Readonly<Record<string, unknown>> | undefined
}
