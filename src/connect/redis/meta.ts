// What is known of an entry of a Redis stream beside its body.

/** What came with an entry. */
export interface RedisStreamMeta {
  /** Its id in the stream: `1526919030474-55`. */
  readonly id: string
  /** All of its fields, as text. To read one that is not UTF-8 throws. */
  readonly fields: Readonly<Record<string, string>>
}
