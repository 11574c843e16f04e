// Connections to the servers of a Kafka cluster, and requests to them.

import { addAbortListener } from 'node:events'
import { isIP } from 'node:net'
import { loadPackage } from '../kits/package.ts'
import type { KafkaPlace } from './address.ts'

type Kafka = typeof import('@platformatic/kafka')
type KafkaClient = import('@platformatic/kafka').Connection

export type { Kafka, KafkaClient }

const CLIENT_ID = 'sluice'
const CONNECT_MS = 10_000
/** How long an answer may take: requests may be large, and servers may wait for each other. */
const REQUEST_MS = 60_000

export async function loadKafka(): Promise<Kafka> {
  return await loadPackage('@platformatic/kafka', () => import('@platformatic/kafka'))
}

/** A connection to one server, which does not reconnect by itself. */
export async function connectKafka(
  { host, port }: { readonly host: string; readonly port: number },
  { servers, sasl, tls }: KafkaPlace,
  signal: AbortSignal,
): Promise<KafkaClient> {
  const { Connection } = await loadKafka()
  signal.throwIfAborted()
  const { username, password = '' } = servers[0] ?? {}
  const mechanism = sasl.toUpperCase() as 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  const client = new Connection(CLIENT_ID, {
    connectTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    ...(tls === undefined ? {} : { tls, tlsServerName: isIP(host) === 0 }),
    ...(username === undefined ? {} : { sasl: { mechanism, username, password } }),
  })
  client.on('error', () => {}) // Pending requests fail.
  using _ = addAbortListener(signal, () => endKafka(client))
  try {
    await client.connect(host, port)
    return client
  } catch (error) {
    endKafka(client)
    throw signal.aborted ? signal.reason : error
  }
}

/** Ends a connection at once: pending requests fail. */
export function endKafka(client: KafkaClient): void {
  void client.close().catch(() => {})
  client.socket?.destroy()
}

/** An answer, even if the client makes an error of it because a part of it failed: codes are checked one by one. */
export async function answerOf<A>(asking: Promise<A>): Promise<A> {
  try {
    return await asking
  } catch (error) {
    const { response } = error as { readonly response?: A }
    if (response === undefined || response === null) throw error
    return response
  }
}
