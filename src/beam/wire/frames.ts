// Messages of gRPC in the two directions of an HTTP/2 stream: each follows its length.

import { once } from 'node:events'
import type { Duplex } from 'node:stream'

/** A byte that says whether the message is compressed, and the length in four bytes. */
const HEADER_BYTES = 5
/** More than any group that fits in memory. */
const MOST_BYTES = 0x7fffffff
/** Of both sides: Node closes streams of a session that has more in memory, 10 MB by default; one group may be larger. */
export const SESSION_MB = 4096

/** Sent in one piece with its header. */
const SMALL_BYTES = 16 * 1024

/** The messages of a stream in order, each in a buffer of its own; reads no more than is wanted. */
export async function* messagesOf(stream: Duplex): AsyncGenerator<Buffer> {
  const header = Buffer.alloc(HEADER_BYTES)
  let headed = 0
  let message: Buffer | undefined
  let filled = 0
  // Whoever stops reading may still have something to send.
  const chunks: AsyncIterable<Uint8Array> = stream.iterator({ destroyOnReturn: false })
  for await (const chunk of chunks) {
    let at = 0
    while (at < chunk.length || (message !== undefined && filled === message.length)) {
      if (message === undefined) {
        const part = chunk.subarray(at, at + HEADER_BYTES - headed)
        header.set(part, headed)
        headed += part.length
        at += part.length
        if (headed < HEADER_BYTES) continue
        message = Buffer.allocUnsafe(lengthIn(header))
      } else if (filled < message.length) {
        const part = chunk.subarray(at, at + message.length - filled)
        message.set(part, filled)
        filled += part.length
        at += part.length
      }
      if (filled < message.length) continue
      yield message
      message = undefined
      headed = 0
      filled = 0
    }
  }
  if (headed > 0) throw new RangeError('Cannot read a message to its end: the stream ended within it')
}

/** Sends a message; resolves when there is room for the next one. */
export async function sendMessage(stream: Duplex, message: Uint8Array): Promise<void> {
  const isSmall = message.length <= SMALL_BYTES
  const header = Buffer.alloc(HEADER_BYTES + (isSmall ? message.length : 0))
  header.writeUInt32BE(message.length, 1)
  // A frame for each would cost more than a copy; one that is empty is taken for an attack.
  if (isSmall) header.set(message, HEADER_BYTES)
  let hasRoom = stream.write(header)
  if (!isSmall) hasRoom = stream.write(message)
  if (!hasRoom && !stream.destroyed) await once(stream, 'drain', { signal: endOf(stream) })
}

/** Aborted when a stream is closed: nobody drains it any more. */
const ENDS = new WeakMap<Duplex, AbortSignal>()

function endOf(stream: Duplex): AbortSignal {
  const known = ENDS.get(stream)
  if (known !== undefined) return known
  const end = new AbortController()
  stream.once('close', () => end.abort(new Error('Cannot send a message: the other side has closed the stream')))
  ENDS.set(stream, end.signal)
  return end.signal
}

function lengthIn(header: Buffer): number {
  const length = header.readUInt32BE(1)
  if (header[0] !== 0) throw new TypeError('Cannot read a message: it is compressed, which was not asked for')
  if (length <= MOST_BYTES) return length
  throw new RangeError(`Cannot read a message: it would have ${length} bytes`)
}
