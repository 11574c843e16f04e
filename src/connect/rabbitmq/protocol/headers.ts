// Headers of a message in AMQP: a table that must fit into one frame, in which a name occurs once: several texts of a
// name are a list.

import { isDeepStrictEqual } from 'node:util'
import type { Outgoing } from '../../kits/broker/message.ts'
import { gathered } from '../../kits/text/named-texts.ts'

/** The longest name, and the largest table, in bytes: the client does not encode larger ones. */
const NAME_BYTES = 255
const TABLE_BYTES = 64 * 1024
/** The length of a table, or of a list in it; of each name its length; of each value its type, and its own length. */
const LIST_HEAD = 4
const NAME_HEAD = 1
const VALUE_HEAD = 1 + 4

/**
 * Why headers cannot be sent with a message; undefined if they can.
 *
 * @example
 * refusesHeaders([['country', 'de']]) // => undefined
 * refusesHeaders([['x'.repeat(256), 'de']]) // => 'a header whose name has 256 bytes: at most 255 are possible'
 */
export function refusesHeaders(headers: Outgoing['headers']): string | undefined {
  let bytes = LIST_HEAD
  for (const [name, value] of Object.entries(gathered(headers))) {
    const nameBytes = Buffer.byteLength(name)
    if (nameBytes > NAME_BYTES) return `a header whose name has ${nameBytes} bytes: at most ${NAME_BYTES} are possible`
    bytes += NAME_HEAD + nameBytes
    if (typeof value !== 'string') bytes += VALUE_HEAD
    for (const text of [value].flat()) bytes += VALUE_HEAD + Buffer.byteLength(text)
  }
  return bytes <= TABLE_BYTES ? undefined : `headers of ${bytes} bytes: at most ${TABLE_BYTES} are possible`
}

/** Whether a message was sent with these headers. */
export function hasHeaders(table: unknown, headers: Outgoing['headers']): boolean {
  return isDeepStrictEqual({ ...(table ?? {}) }, { ...gathered(headers) })
}
