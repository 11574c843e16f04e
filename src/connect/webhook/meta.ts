// What is known of a request of a webhook beside its body.

/** What came with a request. */
export interface WebhookMeta {
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The path with its query, as it was asked for. */
  readonly path: string
}
