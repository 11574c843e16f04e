// Brokers for tests: real ones, in processes of their own or in this one, on free ports of this machine.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { START_MS, until } from './until.ts'

/** The path of a program of Debian's packages; undefined where it is not installed. */
export function programOf(name: string): string | undefined {
  return ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/lib/rabbitmq/bin']
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}

/** Why tests of a program are skipped; false where it is there. */
export function without(name: string): string | false {
  return programOf(name) === undefined ? `${name} is not installed` : false
}

/** A port that nobody listens to. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A server in a process of its own, with a folder, that can be killed and started again on the same port. */
export class ServerProcess {
  readonly port: number
  readonly folder: string
  readonly #argv: (server: ServerProcess) => readonly string[]
  readonly #stopped: () => void
  #child: ChildProcess | undefined

  private constructor(port: number, argv: (server: ServerProcess) => readonly string[], stopped: () => void) {
    this.port = port
    this.folder = mkdtempSync(join(tmpdir(), 'sluice-broker-'))
    this.#argv = argv
    this.#stopped = stopped
  }

  /**
   * @param argv - the program, by its path, and its arguments
   * @param stopped - called at the end, for what it has started itself
   */
  static async start(
    argv: (server: ServerProcess) => readonly string[],
    stopped: () => void = () => {},
  ): Promise<ServerProcess> {
    const server = new ServerProcess(await freePort(), argv, stopped)
    try {
      await server.start()
    } catch (error) {
      server.#stopped()
      throw error
    }
    return server
  }

  async start(): Promise<void> {
    const [program = '', ...args] = this.#argv(this)
    const child = spawn(program, args, { stdio: 'ignore', cwd: this.folder })
    this.#child = child
    const hasStarted = async (): Promise<boolean> => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${program} does not start`)
      return await answers(this.port)
    }
    try {
      await until(hasStarted, `a start of ${program}`, START_MS)
    } catch (error) {
      await this.kill()
      throw error
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  /** It answers nothing until `resume`, and keeps its connections. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    await this.kill()
    this.#stopped()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/**
 * mosquitto, which keeps what it has over a restart.
 *
 * @param more - more of its settings
 * @param files - name → text, of files that these name
 */
export async function startMosquitto(
  more: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  return await ServerProcess.start(({ port, folder }) => {
    const settings = [
      `listener ${port} 127.0.0.1`,
      ...(more.some((line) => line.startsWith('allow_anonymous')) ? [] : ['allow_anonymous true']),
      'persistence true',
      `persistence_location ${folder}/`,
      'autosave_interval 1',
      'max_queued_messages 0',
      'user root',
      ...more,
    ]
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
    writeFileSync(join(folder, 'mosquitto.conf'), `${settings.join('\n')}\n`)
    return [programOf('mosquitto') ?? '', '-c', join(folder, 'mosquitto.conf')]
  })
}

/** A broker of MQTT 3.1.1 in this process. */
export class Aedes {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #close: () => Promise<void>
  readonly #subscribed: Promise<void>

  private constructor(port: number, server: Server, close: () => Promise<void>, subscribed: Promise<void>) {
    this.port = port
    this.#subscribed = subscribed
    this.#server = server
    this.#close = close
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(): Promise<Aedes> {
    const { Aedes: Broker } = await import('aedes')
    const broker = await Broker.createBroker()
    const server = createServer(broker.handle as (socket: Socket) => void)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const subscribed = new Promise<void>((resolve) => broker.once('subscribe', () => resolve()))
    return new Aedes(port, server, () => new Promise((resolve) => broker.close(resolve)), subscribed)
  }

  /** Settles once a client has subscribed: what is published from then on is kept for it. */
  get subscribed(): Promise<void> {
    return this.#subscribed
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    this.cut()
    this.#server.close()
    await this.#close()
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Redis, which has on disk what it has acknowledged. */
export async function startRedis(): Promise<ServerProcess> {
  return await ServerProcess.start(({ port, folder }) => {
    const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'yes', appendfsync: 'always' }
    return [
      programOf('redis-server') ?? '',
      ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]),
    ]
  })
}

/** RabbitMQ, whose durable queues are on disk. Of its three ports, one may be somebody else's by the time it starts. */
export async function startRabbitmq(attempts = 3): Promise<ServerProcess> {
  try {
    return await tryRabbitmq()
  } catch (error) {
    if (attempts === 1) throw error
    return await startRabbitmq(attempts - 1)
  }
}

async function tryRabbitmq(): Promise<ServerProcess> {
  const [names, nodes] = [await freePort(), await freePort()]
  return await ServerProcess.start(
    ({ port, folder }) => {
      writeFileSync(join(folder, 'plugins'), '[].\n')
      const settings = {
        HOME: folder,
        PATH: process.env.PATH,
        ERL_EPMD_PORT: names,
        ERL_EPMD_ADDRESS: '127.0.0.1',
        RABBITMQ_NODENAME: `sluice${port}@localhost`,
        RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
        RABBITMQ_NODE_PORT: port,
        RABBITMQ_DIST_PORT: nodes,
        RABBITMQ_MNESIA_BASE: join(folder, 'data'),
        RABBITMQ_LOG_BASE: join(folder, 'log'),
        RABBITMQ_PID_FILE: join(folder, 'pid'),
        RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
        RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
        RABBITMQ_CONFIG_FILE: join(folder, 'none'),
        // Erlang in this very process, so that a kill is one.
        RUNNING_UNDER_SYSTEMD: 1,
      }
      const given = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
      return ['/usr/bin/env', '-i', ...given, programOf('rabbitmq-defaults')?.replace(/defaults$/, 'server') ?? '']
    },
    // Erlang leaves a server of names behind that it started by itself.
    () => void spawnSync('epmd', ['-port', `${names}`, '-kill'], { stdio: 'ignore' }),
  )
}

/** NATS with JetStream, whose streams are on disk. */
export async function startNats(): Promise<ServerProcess> {
  return await ServerProcess.start(({ port, folder }) => {
    return [programOf('nats-server') ?? '', '-js', '-sd', folder, '-p', `${port}`, '-a', '127.0.0.1']
  })
}
