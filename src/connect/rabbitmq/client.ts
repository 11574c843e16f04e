// A connection to RabbitMQ with its socket, which is closed with it.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { Channel, ChannelModel } from 'amqplib'
import { inTime } from '../../base/closing.ts'
import { untilAborted } from '../../base/promise.ts'
import type { BrokerAddress } from '../kits/broker/address.ts'
import { loadPackage } from '../kits/package.ts'

export interface RabbitSettings {
  readonly address: BrokerAddress
  readonly vhost: string
  readonly tls: TlsOptions | undefined
}

export interface RabbitLink {
  readonly model: ChannelModel
  /** Closes it by the protocol, once everything on a channel is sent; with a short timeout. */
  close(channel?: Channel): Promise<void>
}

/** How long the broker may take to answer, or to say goodbye, and the interval of heartbeats. */
const ANSWER_MS = 30_000
const GOODBYE_MS = 2000
const HEARTBEAT_S = 30

export async function openLink({ address, vhost, tls }: RabbitSettings, signal: AbortSignal): Promise<RabbitLink> {
  const { connect } = await loadPackage('amqplib', () => import('amqplib'))
  signal.throwIfAborted()
  const { url, host, port, username = 'guest', password = 'guest' } = address
  const protocol = url.protocol === 'amqps:' ? 'amqps' : 'amqp'
  // Not the caller's signal: an abandoned link says goodbye first.
  const cutting = new AbortController()
  const settings = { hostname: host, port, username, password, vhost, heartbeat: HEARTBEAT_S }
  // Everything reaches the socket, of either kind, which a signal destroys.
  const socket = { ...tls, noDelay: true, timeout: ANSWER_MS, signal: cutting.signal }
  const connecting = connect({ protocol, ...settings }, socket)
  try {
    const model = await untilAborted(connecting, signal)
    // Users add their own listener; before and after that, an error must not be unhandled.
    model.on('error', () => {})
    return { model, close: (channel) => close(model, channel, cutting) }
  } catch (error) {
    connecting.catch(() => {}) // Nobody waits for it any more.
    cutting.abort(error)
    throw error
  }
}

/** Hears of the end of a connection and of its channel. */
export function watch({ model }: RabbitLink, channel: Channel, lost: (error: Error) => void): void {
  for (const one of [model, channel]) {
    one.on('error', lost)
    one.on('close', () => lost(new Error('the broker closed the connection')))
  }
}

async function close(model: ChannelModel, channel: Channel | undefined, cutting: AbortController): Promise<void> {
  try {
    await inTime(sayGoodbye(model, channel), undefined, GOODBYE_MS)
  } catch {
    // It is closed already.
  } finally {
    cutting.abort(new Error('the connection is closed'))
  }
}

async function sayGoodbye(model: ChannelModel, channel: Channel | undefined): Promise<void> {
  try {
    await channel?.close()
  } finally {
    await model.close()
  }
}
