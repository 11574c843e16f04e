// What is known of a record of a Kafka topic beside its value.

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
  /** The last value of each header, as text. To read one that is not UTF-8 throws. */
  readonly headers: Readonly<Record<string, string>>
}
