// The dashboard, as programs open it. What it takes to serve it is loaded when somebody does.

import { checkInteger, checkKeys } from '../base/check.ts'
import { SluiceError } from '../base/errors.ts'
import { Guard, nameOf } from './guard.ts'
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
  /** Where it is: `http://127.0.0.1:4000`. */
  readonly url: string
  /** Shows a run, in place of one of the same pipeline that it showed before. */
  watch(run: WatchedRun): void
  /** Tells who looks at it of the end, and lets them go. */
  close(): Promise<void>
}

const LEAST_TOKEN = 16

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
  checkKeys('startDashboard', options, ['port', 'host', 'token', 'hosts'])
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
  const [{ Routes }, { listen }] = await Promise.all([import('./routes.ts'), import('./listen.ts')])
  const routes = new Routes(new Guard({ token, hosts: [...own, ...hosts] }), () => [...runs.values()])
  const listening = await listen(routes, { port, host, isLocal })
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listening.port}`,
    watch: (run) => void runs.set(run.pipeline, run),
    close: async () => {
      routes.close()
      await listening.close()
    },
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

function invalid(key: string, message: string): SluiceError {
  return new SluiceError('CONFIG_INVALID', message, {
    key,
    value: undefined,
    allowed: 'what the dashboard can do with',
  })
}
