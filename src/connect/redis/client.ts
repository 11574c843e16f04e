// A client of Redis that connects once, and does not reconnect by itself.

import { addAbortListener } from 'node:events'
import { messageOf } from '../../base/errors.ts'
import type { BrokerAddress } from '../kits/broker/address.ts'
import { loadPackage } from '../kits/package.ts'

type RedisClient = Awaited<ReturnType<typeof import('redis').createClient>>

export type { RedisClient }

const CONNECT_MS = 10_000

/** Whether a retry may help. */
export function mayPass(error: unknown): boolean {
  return !/WRONGPASS|NOAUTH|NOPERM|WRONGTYPE|ERR AUTH/.test(messageOf(error))
}

/**
 * @param onError - called with the error that breaks it, before and after it is connected
 */
export async function connectRedis(
  address: BrokerAddress,
  onError: (error: unknown) => void,
  signal: AbortSignal | undefined,
): Promise<RedisClient> {
  const { createClient } = await loadPackage('redis', () => import('redis'))
  const client = createClient({
    url: address.url.href,
    RESP: 2,
    socket: { reconnectStrategy: false, connectTimeout: CONNECT_MS },
  }) as unknown as RedisClient
  client.on('error', onError)
  signal?.throwIfAborted()
  using _ = signal && addAbortListener(signal, () => client.destroy())
  try {
    await client.connect()
    return client
  } catch (error) {
    if (client.isOpen) client.destroy()
    throw signal?.aborted === true ? signal.reason : error
  }
}
