// The sink that publishes rows to an MQTT broker.

import { randomBytes } from 'node:crypto'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { checkChoice, checkFunctions, checkInteger, checkKeys } from '../../base/check.ts'
import type { MessageOptions } from '../kits/broker/message.ts'
import { brokerSink } from '../kits/broker/sink.ts'
import type { TwoPhaseSink } from '../sink.ts'
import { mqttAddress } from './address.ts'

export interface MqttSinkOptions<Row> extends Pick<MessageOptions<Row>, 'payload'> {
  /** The topic, or a function that gives that of a row. */
  readonly topic: string | ((row: Row) => string)
  /** 0: sent and hoped for; 1, by default: confirmed; 2: confirmed, and given on by the broker once only. */
  readonly qos?: 0 | 1 | 2
  /** Whether the broker keeps the last message of a topic for those who come later: false by default. */
  readonly retain?: boolean
  /** Names and texts that go with it as user properties, where the broker speaks MQTT 5: none by default. */
  readonly headers?: MessageOptions<Row>['headers'] & {}
  /** How the broker knows this sink: a random name by default. */
  readonly clientId?: string
  /** For `mqtts:`: certificates, as `tls.connect` takes them. */
  readonly tls?: TlsOptions
  /** Seconds between signs of life: 60 by default, 0 for none. */
  readonly keepAliveS?: number
}

const OPTIONS = ['topic', 'qos', 'retain', 'payload', 'headers', 'clientId', 'tls', 'keepAliveS']
const TOPIC_BYTES = 65_535

/**
 * Publishes rows to an MQTT broker, by MQTT 5 or 3.1.1. Needs the package `mqtt-packet`.
 *
 * - **At least once**: at QoS 1 and 2 the broker has confirmed every message before an epoch is committed; what came after
 *   the last commit is sent again after a crash, whatever the QoS, as no broker knows it for the same. At QoS 0 nobody
 *   confirms anything.
 * - **Goes on** from the last commit when the connection breaks, or when there is no answer in time (30 s, and longer for
 *   what is large): for the run's `retryMs`, then SINK_UNREACHABLE.
 * - **Refused** are rows of which no message can be made, and messages that the broker does not take: dead letters. A
 *   broker of MQTT 3.1.1 cannot say so: it confirms what it drops, or ends the connection.
 *
 * @param url - `mqtt://user:password@host:1883`, `mqtts://host`
 * @throws {SluiceError} CONFIG_INVALID for an address that is none, for a `qos` or `retain` that the broker says it has
 *   not, or if `mqtt-packet` is not installed; SINK_LOST where trying again may help, SINK_UNREACHABLE for a user that is
 *   refused
 * @throws {RangeError} for another option that does not fit
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
      return isTopic ? undefined : `${JSON.stringify(to.slice(0, 60))} is no topic to publish to`
    },
    load: async () => {
      const { MqttPublisher } = await import('./publisher.ts')
      const { mayPass } = await import('./errors.ts')
      const settings = { address, clientId, qos, retain, keepAliveS, tls }
      return { mayPass, connect: (signal) => MqttPublisher.open(settings, signal) }
    },
  })
}
