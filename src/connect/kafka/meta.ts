// What is known of a record of a Kafka topic beside its value.

/** What came with a record. */
export interface KafkaMeta {
  readonly topic: string
  readonly partition: number
  /** Its number in the partition. */
  readonly offset: number
  /** When it was made, or when the broker took it where the topic says so, in epoch milliseconds. */
  readonly timeMs: number
  /** As text; undefined where it has none. */
  readonly key: string | undefined
  /** The last value of each header, as text. */
  readonly headers: Readonly<Record<string, string>>
}
