// A COPY to the server, sent at once with the statements around it: one round trip.

import type { Writable } from 'node:stream'

/** The part of the client's connection that sending needs. */
interface Connection {
  readonly stream: Writable
  query(sql: string): void
}

/** The largest message: the server reads each as a whole before it goes to work, and reports progress between them. */
const MESSAGE_BYTES = 16 * 1024

/** Messages of the protocol: COPY data, followed by their length, and the end of all data. */
const DATA = 0x64
const DONE = Uint8Array.of(0x63, 0, 0, 0, 4)

/**
 * Run by the client as a query: statements, one of them a COPY from standard input, and its bytes.
 *
 * The bytes are sent without waiting for the server to request them; if a previous statement failed, the server drops
 * them. They must not change until the server has answered what came after.
 */
export class CopyIn {
  readonly #sql: string
  readonly #bytes: Uint8Array
  readonly #done = Promise.withResolvers<void>()

  constructor(sql: string, bytes: Uint8Array) {
    this.#sql = sql
    this.#bytes = bytes
  }

  /** Settles when the server has finished all of the statements, or rejected one. */
  get done(): Promise<void> {
    return this.#done.promise
  }

  submit(connection: Connection): void {
    const { stream } = connection
    stream.cork()
    connection.query(this.#sql)
    for (let at = 0; at < this.#bytes.length; at += MESSAGE_BYTES) {
      const piece = this.#bytes.subarray(at, at + MESSAGE_BYTES)
      const head = Buffer.from([DATA, 0, 0, 0, 0])
      head.writeUInt32BE(piece.length + 4, 1)
      stream.write(head)
      stream.write(piece)
    }
    stream.write(DONE)
    stream.uncork()
  }

  handleError(error: unknown): void {
    this.#done.reject(error)
  }

  handleReadyForQuery(): void {
    this.#done.resolve()
  }

  handleCopyInResponse(): void {}

  handleRowDescription(): void {}

  handleDataRow(): void {}

  handleCommandComplete(): void {}
}
