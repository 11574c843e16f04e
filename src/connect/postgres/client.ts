// One connection to a PostgreSQL server: it is told when it is lost, never waits for ever, and its errors are told apart.

import type { Socket } from 'node:net'
import type { Client, QueryResult } from 'pg'
import type Cursor from 'pg-cursor'
import { orClose } from '../../base/closing.ts'
import { messageOf, SluiceError } from '../../base/errors.ts'
import { loadPackage } from '../kits/package.ts'
import { clientOptions, type PostgresConnection } from './connection.ts'
import { ConnectionLost, sqlStateOf } from './errors.ts'
import { CopyIn } from './protocol.ts'

export interface ClientOptions {
  readonly connection: string | PostgresConnection
  /** The name of the session, as the server's administrator sees it. */
  readonly name: string
  /** Longest time in which no byte moves while something is waited for, in milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** How long an orderly end may take. */
const END_MS = 1000

/** Says whether the server is at work for a connection on which no byte moves: a sign that changes, or undefined. */
export type AskSign = () => Promise<unknown>

/**
 * A connection with one statement at a time. A connection that is lost fails what is waited for, and all that comes
 * after it; it never fails the process.
 */
export class PostgresClient {
  readonly #client: Client
  readonly #timeoutMs: number
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.destroy(this.#signal?.reason)
  /** Asked while no byte moves; without it, a server that works in silence for too long counts as lost. */
  #askSign: AskSign | undefined
  /** The last sign while no byte moved. */
  #sign: unknown
  /** Why the connection is gone. */
  #failure: unknown
  /** Calls under way: the client forgets some that came while it was being ended. */
  readonly #waiting = new Set<(error: unknown) => void>()

  private constructor(client: Client, { timeoutMs, signal }: ClientOptions) {
    this.#client = client
    this.#timeoutMs = timeoutMs
    this.#signal = signal
    client.on('error', (error) => {
      this.#failure ??= error
    })
    client.on('end', () => {
      this.#failure ??= new Error('Connection terminated unexpectedly')
    })
    signal?.addEventListener('abort', this.#onAbort)
  }

  /** Connects within `timeoutMs`. */
  static async open(options: ClientOptions): Promise<PostgresClient> {
    options.signal?.throwIfAborted()
    const { default: pg } = await loadPackage('pg', () => import('pg'))
    const client = new PostgresClient(clientOf(pg, options), options)
    await orClose(client, () => client.#guarded(client.#client.connect()))
    client.#socket.on('timeout', () => void client.#onSilence())
    return client
  }

  /** Whether it is known to be gone. */
  get isLost(): boolean {
    return this.#failure !== undefined
  }

  /** The session's number, as who was connected to gave it: behind a pooler it is not that of the server's session. */
  get sessionId(): number | undefined {
    return (this.#client as unknown as { readonly processID?: number }).processID
  }

  /** Bytes that came from the server. */
  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  /** From now on an abort does not end it: for what is to be said to the server at the end. */
  outliveAbort(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  /** Lets another connection be asked whether the server is at work for this one. */
  askBy(askSign: AskSign): void {
    this.#askSign = askSign
  }

  /** Runs a statement; several, apart by semicolons, where there are no values. */
  query(sql: string, values?: readonly unknown[]): Promise<QueryResult> {
    return this.watch(() => this.#client.query(sql, values === undefined ? undefined : [...values]))
  }

  /** Runs statements, one of them a COPY of `bytes` in the form that it says. */
  copy(sql: string, bytes: Uint8Array): Promise<void> {
    return this.watch(() => this.#client.query(new CopyIn(sql, bytes)).done)
  }

  /** Begins to read. */
  read<R extends Cursor>(cursor: R): R {
    return this.#client.query(cursor)
  }

  /** Waits for the server as long as bytes move. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    this.#sign = undefined
    this.#socket.setTimeout(this.#limitMs)
    try {
      return await this.#guarded(work())
    } finally {
      this.#socket.setTimeout(0)
    }
  }

  /** Ends the session in order where that is possible at once, else by force. */
  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    const force = setTimeout(() => this.#socket.destroy(), END_MS)
    try {
      await this.#client.end()
    } catch {
      // What is lost already needs no end.
    } finally {
      clearTimeout(force)
      this.#socket.destroy()
    }
  }

  /** Ends the connection now: what is waited for fails with `error`. */
  destroy(error: unknown): void {
    this.#failure ??= error
    this.#socket.destroy()
    for (const fail of this.#waiting) fail(error)
  }

  get #socket(): Socket {
    return (this.#client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream
  }

  get #limitMs(): number {
    return this.#askSign === undefined ? this.#timeoutMs : Math.ceil(this.#timeoutMs / 2)
  }

  /** Where another connection can be asked, the first silence is for asking, the second for the verdict. */
  async #onSilence(): Promise<void> {
    const before = this.#sign
    try {
      this.#sign = await this.#askSign?.()
    } catch {
      // Who cannot be asked says nothing: the verdict is as if no sign had come.
      this.#sign = undefined
    }
    if (this.#socket.timeout === 0 || this.isLost) return
    const isAlive = this.#sign !== undefined && this.#sign !== before
    if (isAlive) this.#socket.setTimeout(this.#limitMs)
    else this.destroy(new Error(`no byte has moved for ${this.#timeoutMs / 1000} s`))
  }

  async #guarded<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    this.#waiting.add(reject)
    if (this.isLost) reject(this.#failure)
    try {
      return await Promise.race([work, promise])
    } catch (error) {
      if (this.#signal?.aborted === true) throw this.#signal.reason
      if (sqlStateOf(error) !== undefined) throw error
      const cause = this.#failure ?? error
      // A server that ends a session says why before: the end alone says less.
      if (sqlStateOf(cause) !== undefined) throw cause
      throw new ConnectionLost(messageOf(cause), { cause })
    } finally {
      this.#waiting.delete(reject)
    }
  }
}

/** A client that is not connected yet. */
function clientOf(pg: { readonly Client: typeof Client }, { connection, name, timeoutMs }: ClientOptions): Client {
  try {
    return new pg.Client({
      ...clientOptions(connection),
      application_name: name.replaceAll('\0', ''),
      connectionTimeoutMillis: timeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    })
  } catch (error) {
    // A certificate that cannot be read, or a setting that the client does not know; it leaves URLs out of its errors.
    const allowed = 'what the client pg takes'
    const message = `Cannot use the settings of a PostgreSQL connection: ${messageOf(error)}`
    const details = { key: 'connection', value: undefined, allowed }
    throw new SluiceError('CONFIG_INVALID', message, details, { cause: error })
  }
}
