// Keys by which a server can recognize a repeated request.

import { createHash } from 'node:crypto'

/**
 * SHA-256 over parts, each prefixed with its length: other divisions of the same text give other keys.
 *
 * @example
 * idempotencyKey('a', 'bc') === idempotencyKey('ab', 'c') // => false
 */
export function idempotencyKey(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    const bytes = Buffer.from(part)
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(bytes.length))
    hash.update(length).update(bytes)
  }
  return hash.digest('hex')
}
