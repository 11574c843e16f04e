// Rows as messages of a broker: where they go, what they hold, and how they are identified.

import { describeValue } from '../../../base/check.ts'
import { messageOf } from '../../../base/errors.ts'
import { jsonText } from '../json/line.ts'
import { type NamedTexts, pairsOf } from '../text/named-texts.ts'

/** What a publishing sink derives from its rows. */
export interface MessageOptions<Row> {
  /** The body of a row's message: the row as JSON by default. */
  readonly payload?: (row: Row) => string | Uint8Array
  /** Names and texts sent with it, a list of texts for a name that occurs several times: none by default. */
  readonly headers?: (row: Row) => NamedTexts
}

/** A message, ready to send. */
export interface Outgoing {
  /** The topic, the subject, the routing key. */
  readonly to: string
  readonly bytes: Uint8Array
  readonly id: string | undefined
  /** Its partitioning key; absent for brokers without keys. */
  readonly key?: Uint8Array
  /** A name may occur several times. */
  readonly headers: readonly (readonly [name: string, text: string])[]
}

export interface MessageRules<Row> {
  readonly payload?: MessageOptions<Row>['payload'] | undefined
  readonly headers?: MessageOptions<Row>['headers'] | undefined
  readonly to: string | ((row: Row) => string)
  readonly id?: ((row: Row) => string) | undefined
  readonly key?: ((row: Row) => string | Uint8Array) | undefined
  /** Why nothing can be sent there; undefined if it can. */
  readonly refuses: (to: string) => string | undefined
  /** Why headers cannot be sent; undefined if they can. All can by default. */
  readonly refusesHeaders?: (headers: Outgoing['headers']) => string | undefined
}

/** The longest id in bytes that all brokers accept. */
const ID_BYTES = 255

/** The message of a row, or why it is invalid. */
export function messageOfRow<Row>(row: Row, rules: MessageRules<Row>): Outgoing | string {
  const { to: where, payload = jsonText, id: idOf, key: keyOf, headers: headersOf, refuses } = rules
  try {
    const to = typeof where === 'function' ? where(row) : where
    if (typeof to !== 'string') return `its destination must be a text: found ${describeValue(to)}`
    const fault = refuses(to)
    if (fault !== undefined) return fault
    const bytes = bytesOf('payload', payload(row))
    const key = keyOf === undefined ? undefined : bytesOf('key', keyOf(row))
    const id = idOf?.(row)
    if (id !== undefined && (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > ID_BYTES)) {
      return `id must return a text of at most ${ID_BYTES} bytes: found ${describeValue(id)}`
    }
    const headers = pairsOf('header', headersOf?.(row) ?? {})
    const bad = rules.refusesHeaders?.(headers)
    if (bad !== undefined) return bad
    return { to, bytes, id, ...(key === undefined ? {} : { key }), headers }
  } catch (error) {
    return messageOf(error)
  }
}

function bytesOf(name: string, made: unknown): Uint8Array {
  if (typeof made === 'string') return Buffer.from(made)
  if (made instanceof Uint8Array) return made
  throw new TypeError(`${name} must return a text or bytes: found ${describeValue(made)}`)
}
