// The source of messages of an MQTT broker: acknowledged once they are committed.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { checkChoice } from '../../base/check.ts'
import { aFunction, anything, type Checks, checkOptions, integer, milliseconds } from '../../base/options.ts'
import type { LineFormat } from '../format.ts'
import type { ToEvent } from '../kits/broker/body.ts'
import { liveSource } from '../kits/broker/source.ts'
import { optionInvalid } from '../kits/config.ts'
import type { Source } from '../source.ts'
import { mqttAddress } from './address.ts'
import { checkTopic } from './connection.ts'
import type { MqttMeta } from './meta.ts'

export type { MqttMeta } from './meta.ts'

export interface MqttSourceOptions<B, T> {
  /** Topics to subscribe to: `+` stands for one level, `#` for all below. */
  readonly topics: string | readonly string[]
  /**
   * The client id by which the broker identifies this reader, and keeps messages for it while it is away: no two
   * readers may share it.
   */
  readonly clientId: string
  /** 1 by default; 2 to use the broker's own bookkeeping; 0 for messages that may get lost. */
  readonly qos?: 0 | 1 | 2
  /** Makes an event of a message's body and metadata: the body by default. */
  readonly event?: ToEvent<B, MqttMeta, T>
  /** Whether retained messages are emitted, each time a topic is subscribed to. False by default. */
  readonly retained?: boolean
  /**
   * Most unacknowledged messages: 1 to 65,535, which is the default. With MQTT 3.1.1 the broker's own setting counts.
   */
  readonly inFlight?: number
  /** The longest message: 1 MiB by default. The connection to a broker that sends a longer one is closed. */
  readonly maxBytes?: number
  /** Seconds between two pings, 60 by default. */
  readonly keepAliveS?: number
  /** Seconds that the broker keeps messages for an absent reader: a day by default. MQTT 5 only. */
  readonly sessionS?: number
  /** Gives up after this long without a connection, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
  /** Certificates and the like, for `mqtts:`, as `node:tls` takes them. */
  readonly tls?: TlsOptions
}

const OPTIONS: Checks<MqttSourceOptions<unknown, unknown>> = {
  topics: anything,
  clientId: anything,
  qos: (name, value) => checkChoice(name, String(value), ['0', '1', '2']),
  event: aFunction,
  retained: anything,
  inFlight: integer(1, 65_535),
  maxBytes: integer(1, 256 * 1024 * 1024),
  keepAliveS: integer(0, 65_535),
  sessionS: integer(0, 4_294_967_295),
  retryMs: milliseconds(),
  tls: anything,
}

/**
 * Reads the messages of an MQTT broker, 5 or 3.1.1, without end.
 *
 * - **Acknowledges** a message (QoS 1 and 2) once its epoch is committed: what was not acknowledged is sent again after
 *   a crash. A message that is sent again after its commit is recognized by its packet id and content: exactly once
 *   with a transactional sink, as long as the broker keeps its session (a broker that loses it, or returns to an
 *   earlier state, sends messages as new ones). QoS 0 is at most once.
 * - **Demand**: what is waiting is bounded, and the connection is not read beyond that. The broker sends at most
 *   `inFlight` unacknowledged messages: an epoch holds no more of them.
 * - **Order** is the broker's: within one topic, that of publication.
 * - **Reconnects** when the connection breaks, for `retryMs`, with a back-off.
 * - **Origins** name the topic, and count messages over all runs, as the offset.
 * - **Secrets**: user and password of the address are never shown.
 *
 * Needs the package `mqtt-packet`.
 *
 * @param url - `mqtt://host`, `mqtts://user:password@host:8883`
 * @throws {SluiceError} CONFIG_INVALID for invalid options; then SOURCE_UNREADABLE, POSITION_LOST
 * @example
 * const readings = mqttSource('mqtt://localhost', json(), { topics: 'sensors/+/reading', clientId: 'climate' })
 * readings.title // => 'sensors/+/reading of mqtt://localhost:1883'
 * @see https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html
 */
export function mqttSource<B, T = B>(
  url: string | URL,
  format: LineFormat<B>,
  options: MqttSourceOptions<B, T>,
): Source<T> {
  checkOptions('mqttSource', options, OPTIONS)
  const address = mqttAddress('mqttSource', url)
  const { topics: given, clientId, qos = 1, retained = false, event, tls } = options
  const { inFlight = 65_535, maxBytes = 1024 * 1024, keepAliveS = 60, sessionS = 86_400, retryMs = 60_000 } = options
  const topics = typeof given === 'string' ? [given] : given
  if (!Array.isArray(topics) || topics.length === 0) checkTopic(undefined)
  for (const topic of topics) checkTopic(topic)
  if (typeof clientId !== 'string' || clientId === '' || clientId.length > 1000 || clientId.includes('\0')) {
    throw optionInvalid('mqttSource', 'clientId', clientId, 'a name of its own')
  }
  const title = `${topics.join(', ')} of ${address.shown}`
  const limits = { inFlight, maxBytes, keepAliveS, sessionS, retryMs }
  const settings = { ...limits, address, title, topics, clientId, qos, retained, tls }
  return liveSource<T>({
    kind: 'mqtt',
    title,
    ...(qos === 0 ? { delivery: 'at-most-once' as const } : { provided: 'as long as the broker keeps its session' }),
    split: `mqtt ${clientId}`,
    format,
    event,
    load: async (opening) => {
      const { openMqtt } = await import('./open.ts')
      return await openMqtt<B, T>({ ...settings, format, event, ...opening })
    },
  })
}
