// One connection to a PostgreSQL server: its loss is detected, it never waits forever, and its errors are classified.

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
  /** The name of the session, as shown to the server's administrator. */
  readonly name: string
  /** The longest time without any byte while something is awaited, in milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** How long an orderly end may take. */
const END_MS = 1000

/** Reports whether the server is working for a silent connection: a value that changes, or undefined. */
export type AskSign = () => Promise<unknown>

/**
 * A connection with one statement at a time. A lost connection fails what is awaited, and everything after it, but
 * never the process.
 */
export class PostgresClient {
  readonly #client: Client
  readonly #timeoutMs: number
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.destroy(this.#signal?.reason)
  /** Called while no byte moves; without it, a server that works silently for too long counts as lost. */
  #askSign: AskSign | undefined
  /** The last value while no byte moved. */
  #sign: unknown
  /** Why the connection is gone. */
  #failure: unknown
  /** Pending calls: the client forgets some that were made while it was being ended. */
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

  /**
   * The session's number, as reported by the server connected to: behind a pooler it is not that of the server's
   * session.
   */
  get sessionId(): number | undefined {
    return (this.#client as unknown as { readonly processID?: number }).processID
  }

  /** Bytes that came from the server. */
  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  /** From now on an abort does not end it: for the last statements. */
  outliveAbort(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  /** Lets another connection be asked whether the server is working for this one. */
  askBy(askSign: AskSign): void {
    this.#askSign = askSign
  }

  /** Runs a statement; without values, several separated by semicolons. */
  query(sql: string, values?: readonly unknown[]): Promise<QueryResult> {
    return this.watch(() => this.#client.query(sql, values === undefined ? undefined : [...values]))
  }

  /** Runs statements, one of them a COPY of `bytes` in the format that it says. */
  copy(sql: string, bytes: Uint8Array): Promise<void> {
    return this.watch(() => this.#client.query(new CopyIn(sql, bytes)).done)
  }

  /** Begins to read. */
  read<R extends Cursor>(cursor: R): R {
    return this.#client.query(cursor)
  }

  /** Waits for the server while bytes move. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    this.#sign = undefined
    this.#socket.setTimeout(this.#limitMs)
    try {
      return await this.#guarded(work())
    } finally {
      this.#socket.setTimeout(0)
    }
  }

  /** Ends the session in order if possible, else by force. */
  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    const force = setTimeout(() => this.#socket.destroy(), END_MS)
    try {
      await this.#client.end()
    } catch {
      // A lost connection needs no end.
    } finally {
      clearTimeout(force)
      this.#socket.destroy()
    }
  }

  /** Ends the connection now: what is awaited fails with `error`. */
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

  /**
   * If another connection can be asked, it is asked at the first timeout, and the connection given up at the second.
   */
  async #onSilence(): Promise<void> {
    const before = this.#sign
    try {
      this.#sign = await this.#askSign?.()
    } catch {
      // If it cannot answer, that counts as no activity.
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
      // A server that ends a session says why beforehand: the end alone says less.
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
    // An invalid certificate, or an unknown setting; the client leaves URLs out of its errors.
    const allowed = 'what the client pg accepts'
    const message = `Cannot use the settings of a PostgreSQL connection: ${messageOf(error)}`
    const details = { key: 'connection', value: undefined, allowed }
    throw new SluiceError('CONFIG_INVALID', message, details, { cause: error })
  }
}
