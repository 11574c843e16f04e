// A client of NATS that connects once, and does not reconnect by itself.

import type { NatsConnection as NatsClient } from '@nats-io/transport-node'
import { messageOf } from '../../base/errors.ts'
import type { BrokerAddress } from '../kits/broker/address.ts'
import { loadPackage } from '../kits/package.ts'

export type { NatsClient }

const CONNECT_MS = 10_000

/** Whether a retry may help. */
export function mayPass(error: unknown): boolean {
  return !/authoriz|authentic|permissions/i.test(messageOf(error))
}

export async function connectNats(
  { host, port, username, password, url }: BrokerAddress,
  signal: AbortSignal,
): Promise<NatsClient> {
  const { connect } = await loadPackage('@nats-io/transport-node', () => import('@nats-io/transport-node'))
  signal.throwIfAborted()
  const client = await connect({
    servers: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    // Reconnection is done elsewhere.
    reconnect: false,
    timeout: CONNECT_MS,
    ...(username === undefined
      ? {}
      : password === undefined
        ? { token: username }
        : { user: username, pass: password }),
    ...(url.protocol === 'tls:' ? { tls: {} } : {}),
  })
  if (signal.aborted) await client.close()
  signal.throwIfAborted()
  return client
}
