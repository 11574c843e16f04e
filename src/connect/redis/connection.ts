// One connection to a Redis server: reads a stream's entries while there is room for them.

import { messageOf } from '../../base/errors.ts'
import type { BrokerAddress } from '../kits/broker/address.ts'
import { connectRedis, type RedisClient } from './client.ts'
import { type RedisEntry, recordsOf } from './protocol.ts'

export interface RedisConnectionOptions {
  readonly address: BrokerAddress
  readonly stream: string
  /** Undefined to read by position alone. */
  readonly group: { readonly name: string; readonly consumer: string; readonly from: '0' | '$' } | undefined
  /** The id to read after, without a group: requested for each connection. */
  readonly after: () => string
  readonly onEntry: (entry: RedisEntry) => void
  /** Whether to read more; otherwise `room` resolves when there is room. */
  readonly isFull: () => boolean
  readonly onLost: (error: unknown) => void
}

/** Entries read at once, and how long a read waits for the first one. */
const COUNT = 500
const BLOCK_MS = 300

export class RedisConnection {
  readonly #options: RedisConnectionOptions
  readonly #client: RedisClient
  #loop: Promise<void> = Promise.resolve()
  #isOver = false
  #wake: () => void = () => {}

  private constructor(options: RedisConnectionOptions, client: RedisClient) {
    this.#options = options
    this.#client = client
  }

  /** Connects, and creates the group if it does not exist. */
  static async open(options: RedisConnectionOptions, signal: AbortSignal): Promise<RedisConnection> {
    const { address, stream, group } = options
    // Before there is a connection, whoever waits for it gets the error.
    let fail: (error: unknown) => void = () => {}
    const client = await connectRedis(address, (error) => fail(error), signal)
    const connection = new RedisConnection(options, client)
    fail = (error) => connection.#fail(error)
    try {
      if (group !== undefined) await connection.#makeGroup(stream, group.name, group.from)
      return connection
    } catch (error) {
      connection.#isOver = true
      if (client.isOpen) client.destroy()
      throw signal.aborted ? signal.reason : error
    }
  }

  /** What the server knows of the stream; undefined if it does not exist. */
  async info(): Promise<ReadonlyMap<string, unknown> | undefined> {
    try {
      const answer = (await this.#send(['XINFO', 'STREAM', this.#options.stream])) as unknown[]
      const pairs: [string, unknown][] = []
      for (let at = 0; at + 1 < answer.length; at += 2) pairs.push([String(answer[at]), answer[at + 1]])
      return new Map(pairs)
    } catch (error) {
      if (/no such key/i.test(messageOf(error))) return undefined
      throw error
    }
  }

  /** Starts reading. */
  begin(): void {
    this.#loop = this.#read().catch((error: unknown) => this.#fail(error))
  }

  /** There is room again. */
  resume(): void {
    this.#wake()
  }

  acknowledge(ids: readonly string[]): void {
    const { group, stream } = this.#options
    if (group === undefined || ids.length === 0 || this.#isOver) return
    // What is not acknowledged is read again, and recognized.
    this.#send(['XACK', stream, group.name, ...ids]).catch(() => {})
  }

  /** Ends once everything that was sent is answered. */
  async close(): Promise<void> {
    this.#isOver = true
    this.#wake()
    await this.#loop
    if (this.#client.isOpen) await this.#client.close().catch(() => {})
  }

  async #read(): Promise<void> {
    const { group, stream, onEntry, isFull } = this.#options
    // With a group, pending entries come first: from the first one on, and then the new ones.
    let from = group === undefined ? this.#options.after() : '0'
    let isOld = group !== undefined
    while (!this.#isOver) {
      if (isFull()) await new Promise<void>((resolve) => (this.#wake = resolve))
      else {
        const id = group === undefined || isOld ? from : '>'
        const head = group === undefined ? ['XREAD'] : ['XREADGROUP', 'GROUP', group.name, group.consumer]
        const block = isOld ? [] : ['BLOCK', `${BLOCK_MS}`]
        const entries = recordsOf(await this.#send([...head, 'COUNT', `${COUNT}`, ...block, 'STREAMS', stream, id]))
        from = entries.at(-1)?.id ?? from
        if (entries.length === 0) isOld = false
        if (!this.#isOver) for (const entry of entries) onEntry(entry)
      }
    }
  }

  async #makeGroup(stream: string, name: string, from: string): Promise<void> {
    try {
      await this.#send(['XGROUP', 'CREATE', stream, name, from, 'MKSTREAM'])
    } catch (error) {
      if (!messageOf(error).startsWith('BUSYGROUP')) throw error
    }
  }

  /** Raw answers, with texts as bytes. */
  async #send(args: string[]): Promise<unknown> {
    return await this.#client.sendCommand(args, { typeMapping: { 36: Buffer } })
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#wake()
    if (this.#client.isOpen) this.#client.destroy()
    this.#options.onLost(error)
  }
}
