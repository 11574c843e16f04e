// What is known of a message of RabbitMQ beside its body.

/** What came with a message. */
export interface RabbitmqMeta {
  readonly exchange: string
  readonly routingKey: string
  /** The `message-id` that its publisher gave it. */
  readonly messageId: string | undefined
  readonly contentType: string | undefined
  readonly headers: Readonly<Record<string, unknown>>
  /** Whether the broker has sent it before, to this reader or to another one. */
  readonly isRedelivered: boolean
}
