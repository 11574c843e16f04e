// What is known of an MQTT message beside its body.

/** What came with a message. */
export interface MqttMeta {
  readonly topic: string
  readonly qos: 0 | 1 | 2
  /** Whether it is the topic's last one of earlier days, kept by the broker. */
  readonly isRetained: boolean
  /** Properties of MQTT 5, as mqtt-packet names them. */
  readonly properties: Readonly<Record<string, unknown>> | undefined
}
