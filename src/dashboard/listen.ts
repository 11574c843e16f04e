// Where the dashboard listens, and its limits.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errnoOf, messageOf, SluiceError } from '../base/errors.ts'
import type { Routes } from './routes.ts'

const MOST_CONNECTIONS = 64
const MOST_HEADER_BYTES = 8192
/** How long a request may take to arrive, and a subscriber to take what was sent, in clock milliseconds. */
const HEADERS_MS = 5000
const REQUEST_MS = 10_000
const STUCK_MS = 20_000
/** How long connections may take to close at the end. */
const CLOSING_MS = 300
/** How many ports are tried if any will do. */
const MOST_TRIES = 5

export interface Listening {
  readonly port: number
  /** Gives open requests a moment to finish, then closes them. */
  close(): Promise<void>
}

/**
 * @throws {SluiceError} CONFIG_INVALID if it cannot listen there
 */
export async function listen(
  routes: Routes,
  { port, host, isLocal }: { readonly port: number; readonly host: string; readonly isLocal: boolean },
): Promise<Listening> {
  for (let tries = 1; ; tries += 1) {
    const first = await listening(routes, port, host === 'localhost' ? '127.0.0.1' : host)
    const { port: chosen } = first.address() as AddressInfo
    try {
      const second = isLocal && host !== '::1' ? await alsoSixth(routes, chosen) : []
      return listeningOn([first, ...second], chosen)
    } catch (error) {
      first.close()
      // A port that is free at one address may be taken at the other.
      if (port !== 0 || tries === MOST_TRIES) throw error
    }
  }
}

function listeningOn(servers: readonly Server[], port: number): Listening {
  return { port, close: async () => void (await Promise.all(servers.map(closed))) }
}

/** A browser may resolve `localhost` to either address. A machine without the second one works as well. */
async function alsoSixth(routes: Routes, port: number): Promise<Server[]> {
  try {
    return [await listening(routes, port, '::1')]
  } catch (error) {
    const errno = errnoOf(error instanceof Error ? error.cause : error)
    if (errno === 'EADDRNOTAVAIL' || errno === 'EAFNOSUPPORT') return []
    throw error
  }
}

async function listening(routes: Routes, port: number, host: string): Promise<Server> {
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: HEADERS_MS,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => void routes.onRequest(request, response),
  )
  server.maxConnections = MOST_CONNECTIONS
  server.timeout = STUCK_MS
  server.on('connection', (socket) => socket.unref())
  server.on('clientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, port, error)))
    server.listen({ port, host, ipv6Only: host === '::1' }, resolve)
  })
  server.unref()
  return server
}

function cannotListen(host: string, port: number, error: unknown): SluiceError {
  const found = errnoOf(error) === 'EADDRINUSE' ? 'the port is in use' : messageOf(error)
  const details = { key: 'dashboard', value: `${host}:${port}`, allowed: 'an address to listen on' }
  return new SluiceError('CONFIG_INVALID', `Cannot show the dashboard on ${host}, port ${port}: ${found}`, details, {
    cause: error,
  })
}

async function closed(server: Server): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), CLOSING_MS)
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
  clearTimeout(timer)
}
