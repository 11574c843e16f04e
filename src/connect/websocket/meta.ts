// What is known of a message of a WebSocket beside its body.

/** What came with a message. */
export interface WebSocketMeta {
  /** Whether it was sent as bytes, and not as text. */
  readonly isBinary: boolean
}
