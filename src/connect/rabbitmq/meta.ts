// The metadata of a RabbitMQ message: in a file of its own, so that users see this type and not those of the client.

/** The metadata of a message. */
export interface RabbitmqMeta {
  readonly exchange: string
  readonly routingKey: string
  /** The `message-id` that its publisher gave it. */
  readonly messageId: string | undefined
  readonly contentType: string | undefined
  /** As the broker has them: several texts of one name are a list. */
  readonly headers: Readonly<Record<string, unknown>>
  /** Whether the broker has sent it before, to this reader or another one. */
  readonly isRedelivered: boolean
}
