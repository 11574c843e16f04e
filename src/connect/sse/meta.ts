// What is known of a server-sent event beside its data.

/** What came with an event. */
export interface ServerEventMeta {
  /** `message` where the server names none. */
  readonly type: string
  /** The last id that the server named, with this event or before it; empty where there was none. */
  readonly id: string
}
