// A page from the server, as functions that extract its items see it.

/** A page as it came. */
export interface HttpPage {
  /** The answer, parsed as JSON. */
  readonly body: unknown
  readonly headers: Headers
  /** Where it came from. */
  readonly url: string
}
