// The sink that publishes rows to an MQTT broker.

import { randomBytes } from 'node:crypto'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { checkChoice, checkFunctions, checkInteger, checkKeys } from '../../base/check.ts'
import type { MessageOptions } from '../kits/broker/message.ts'
import { brokerSink } from '../kits/broker/sink.ts'
import type { TwoPhaseSink } from '../sink.ts'
import { mqttAddress } from './address.ts'

export interface MqttSinkOptions<Row> extends Pick<MessageOptions<Row>, 'payload'> {
  /** The topic, or a function that returns that of a row. */
  readonly topic: string | ((row: Row) => string)
  /**
   * 0: sent without acknowledgement; 1, by default: acknowledged; 2: acknowledged, and forwarded by the broker only
   * once.
   */
  readonly qos?: 0 | 1 | 2
  /** Whether the broker retains the last message of a topic for later subscribers: false by default. */
  readonly retain?: boolean
  /** Names and texts sent as user properties, if the broker supports MQTT 5: none by default. */
  readonly headers?: MessageOptions<Row>['headers'] & {}
  /** The client id of this sink: a random name by default. */
  readonly clientId?: string
  /** For `mqtts:`: certificates, as `tls.connect` takes them. */
  readonly tls?: TlsOptions
  /** Seconds between pings: 60 by default, 0 for none. */
  readonly keepAliveS?: number
}

const OPTIONS = ['topic', 'qos', 'retain', 'payload', 'headers', 'clientId', 'tls', 'keepAliveS']
const TOPIC_BYTES = 65_535

/**
 * Publishes rows to an MQTT broker, by MQTT 5 or 3.1.1. Needs the package `mqtt-packet`.
 *
 * - **At least once**: at QoS 1 and 2 the broker has acknowledged every message before an epoch is committed; what came
 *   after the last commit is sent again after a crash, whatever the QoS, as no broker recognizes it. At QoS 0 nothing
 *   is acknowledged.
 * - **Continues** from the last commit when the connection breaks, or an answer times out (30 s, and longer for large
 *   messages): for the run's `retryMs`, then SINK_UNREACHABLE.
 * - **Rejected**: rows that cannot become a message, and messages that the broker does not accept, become dead letters.
 *   A broker of MQTT 3.1.1 cannot say so: it acknowledges what it drops, or ends the connection.
 *
 * @param url - `mqtt://user:password@host:1883`, `mqtts://host`
 * @throws {SluiceError} CONFIG_INVALID for an invalid address, for a `qos` or `retain` that the broker does not
 *   support, or if `mqtt-packet` is not installed; SINK_LOST if a retry may help, SINK_UNREACHABLE for wrong
 *   credentials
 * @throws {RangeError} for another invalid option
 * @example
 * const sink = mqttSink<{ sensor: string; celsius: number }>('mqtt://localhost', {
 *   topic: ({ sensor }) => `alerts/${sensor}`,
 *   payload: ({ celsius }) => celsius.toFixed(1),
 * })
 * checkpointed(sink, { store: 'state.db' }).title // => 'topics of mqtt://localhost:1883'
 */
export function mqttSink<Row>(url: string | URL, options: MqttSinkOptions<Row>): TwoPhaseSink<Row> {
  checkKeys('mqttSink', options, OPTIONS)
  const address = mqttAddress('mqttSink', url)
  const { topic, qos = 1, retain = false, payload, headers, tls, keepAliveS = 60 } = options
  const { clientId = `sluice-${randomBytes(6).toString('hex')}` } = options
  checkChoice('qos', String(qos), ['0', '1', '2'])
  checkInteger('keepAliveS', keepAliveS, 0, 65_535)
  checkFunctions({ payload, headers })
  const { shown } = address
  return brokerSink({
    kind: 'mqtt',
    title: typeof topic === 'function' ? `topics of ${shown}` : `topic ${topic} of ${shown}`,
    shown,
    to: topic,
    payload,
    headers,
    refuses: (to: string) => {
      const isTopic = to !== '' && !/[+#\0]/.test(to) && Buffer.byteLength(to) <= TOPIC_BYTES
      return isTopic ? undefined : `${JSON.stringify(to.slice(0, 60))} is not a topic to publish to`
    },
    load: async () => {
      const { MqttPublisher } = await import('./publisher.ts')
      const { mayPass } = await import('./errors.ts')
      const settings = { address, clientId, qos, retain, keepAliveS, tls }
      return { mayPass, connect: (signal) => MqttPublisher.open(settings, signal) }
    },
  })
}
