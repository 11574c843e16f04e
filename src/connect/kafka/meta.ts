// What comes with a record of Kafka: a file of its own, as users see the type, and not that of the client.

import type { NamedTexts } from '../kits/text/named-texts.ts'

/** What came with a record. */
export interface KafkaMeta {
  readonly topic: string
  readonly partition: number
  /** Its number in the partition. */
  readonly offset: number
  /** When it was made, or when the broker took it where the topic says so, in epoch milliseconds. */
  readonly timeMs: number
  /** As text; undefined where it has none. To read one that is not UTF-8 throws: see `keyBytes`. */
  readonly key: string | undefined
  /** The key as bytes, where it is not UTF-8. */
  readonly keyBytes?: Uint8Array
  /** As text; of a name that comes several times all of its values. To read one that is not UTF-8 throws. */
  readonly headers: NamedTexts
}
