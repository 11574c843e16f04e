// What comes with a record of Kafka: in a file of its own, so that users see this type and not that of the client.

import type { NamedTexts } from '../kits/text/named-texts.ts'

/** The metadata of a record. */
export interface KafkaMeta {
  readonly topic: string
  readonly partition: number
  /** Its number in the partition. */
  readonly offset: number
  /** When it was created, or appended if the topic says so, in epoch milliseconds. */
  readonly timeMs: number
  /** As text; undefined without a key. Throws if it is not UTF-8: see `keyBytes`. */
  readonly key: string | undefined
  /** The key as bytes, if it is not UTF-8. */
  readonly keyBytes?: Uint8Array
  /** As text; all values of a repeated name. Throws if one is not UTF-8. */
  readonly headers: NamedTexts
}
