// The dashboard, as programs open it. The server is loaded when it is opened.

import { checkInteger, checkKeys } from '../base/check.ts'
import { SluiceError } from '../base/errors.ts'
import { Guard, nameOf } from './guard.ts'
import type { WatchedRun } from './watched.ts'

export interface DashboardOptions {
  /** An integer from 0 to 65535; 0, the default, picks a free port. */
  readonly port?: number
  /** The address to listen on: this machine only by default. Any other needs a token. */
  readonly host?: string
  /** What every visitor must present: 16 characters or more, without white space. */
  readonly token?: string
  /** Names by which others reach it, without ports: `['etl.example.org']`. */
  readonly hosts?: readonly string[]
}

/** An open dashboard. */
export interface Dashboard {
  /** Its address: `http://127.0.0.1:4000`. */
  readonly url: string
  /** Shows a run, in place of an earlier run of the same pipeline. */
  watch(run: WatchedRun): void
  /** Tells its visitors of the end, and closes their connections. */
  close(): Promise<void>
}

const LEAST_TOKEN = 16

/**
 * Serves a page that shows runs live, lets people pause, resume and drain them, and shows dead letters; also as JSON,
 * as server-sent events, and for Prometheus.
 *
 * - **Listens** on the loopback addresses 127.0.0.1 and ::1 by default; any other address needs a token.
 * - **Accepts** 64 connections and 16 subscribers at most, each for a limited time; a run waits for none of them.
 * - **Does not keep** the process alive.
 *
 * @throws {SluiceError} CONFIG_INVALID if it cannot listen there, or may not without a token
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
    throw invalid(
      'hosts',
      `Cannot show the dashboard under the name ${JSON.stringify(name)}: it is not the name of a host`,
    )
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
    allowed: 'a valid setting',
  })
}
