// The dashboard's server: where it listens, and what it bears.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkInteger } from '../base/check.ts'
import { errnoOf, messageOf, SluiceError } from '../base/errors.ts'
import { Guard, nameOf } from './guard.ts'
import { Routes } from './routes.ts'
import type { WatchedRun } from './watched.ts'

export interface DashboardOptions {
  /** An integer from 0 to 65535; 0, the default, is any that is free. */
  readonly port?: number
  /** The address to listen on: this machine alone by default. Any other needs a token. */
  readonly host?: string
  /** What everybody has to give who wants to see anything: 16 characters or more, without white space. */
  readonly token?: string
  /** Names by which others reach it, without ports: `['etl.example.org']`. */
  readonly hosts?: readonly string[]
}

/** A dashboard that can be looked at. */
export interface Dashboard {
  /** Where it is: `http://127.0.0.1:4040`. */
  readonly url: string
  /** Shows a run, in place of one of the same pipeline that it showed before. */
  watch(run: WatchedRun): void
  /** Tells who looks at it of the end, and lets them go. */
  close(): Promise<void>
}

const MOST_CONNECTIONS = 64
const MOST_HEADER_BYTES = 8192
const LEAST_TOKEN = 16
/** How long a request may take to come, and a reader to take what it was sent, in clock milliseconds. */
const HEADERS_MS = 5000
const REQUEST_MS = 10_000
const STUCK_MS = 20_000
/** How long they may take to go at the end. */
const CLOSING_MS = 300

/**
 * Serves a page that shows runs as they are, lets a person pause, resume and drain them, and look at dead letters; and
 * the same as JSON, as server-sent events, and for Prometheus.
 *
 * - **Listens** on this machine's own addresses, 127.0.0.1 and ::1, unless told otherwise; for others a token is needed.
 * - **Holds** 64 connections and 16 followers at most, and each only for so long; a run waits for none of them.
 * - **Keeps** no process alive.
 *
 * @throws {SluiceError} CONFIG_INVALID if it cannot listen there, or if it may not without a token
 */
export async function startDashboard(options: DashboardOptions = {}): Promise<Dashboard> {
  const { port = 0, host = '127.0.0.1', token, hosts = [] } = options
  checkInteger('port', port, 0, 65_535)
  const isLocal = isLoopback(host)
  if (token === undefined && !isLocal) {
    throw invalid('token', `Cannot show the dashboard on ${host}: others can reach it there, and it has no token`)
  }
  if (token !== undefined && !/^[\x21-\x7e]{16,512}$/.test(token)) {
    throw invalid('token', `The token of the dashboard must have ${LEAST_TOKEN} visible ASCII characters or more`)
  }
  for (const name of hosts) {
    if (nameOf(name) !== undefined) continue
    throw invalid('hosts', `Cannot show the dashboard under the name ${JSON.stringify(name)}: it is no name of a host`)
  }
  const runs = new Map<string, WatchedRun>()
  const own = /^(0\.0\.0\.0|::)$/.test(host) ? [] : [host.includes(':') ? `[${host}]` : host]
  const routes = new Routes(new Guard({ token, hosts: [...own, ...hosts] }), () => [...runs.values()])
  const first = await listening(routes, port, host)
  const { port: chosen } = first.address() as AddressInfo
  const servers = [first]
  try {
    if (isLocal && host !== '::1') servers.push(...(await alsoSixth(routes, chosen)))
  } catch (error) {
    first.close()
    throw error
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${chosen}`,
    watch: (run) => void runs.set(run.pipeline, run),
    close: async () => {
      routes.close()
      await Promise.all(servers.map(closed))
    },
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

/** A browser may take `localhost` for either address. A machine without the second one is none the worse. */
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

function invalid(key: string, message: string): SluiceError {
  return new SluiceError('CONFIG_INVALID', message, {
    key,
    value: undefined,
    allowed: 'what the dashboard can do with',
  })
}
