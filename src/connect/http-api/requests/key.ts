// Keys by which a server can tell that it has been sent the same before.

import { createHash } from 'node:crypto'

/**
 * SHA-256 over parts, each with its length in front: what is joined differently is another key.
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
