// What is known of a message of a NATS stream beside its body.

/** What came with a message. */
export interface NatsMeta {
  readonly subject: string
  /** Its number in the stream. */
  readonly sequence: number
  /** When the server took it, in epoch milliseconds. */
  readonly timeMs: number
  /** The first value of each header. */
  readonly headers: Readonly<Record<string, string>>
}
