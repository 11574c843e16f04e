// A page of what a server gives, as whoever takes items out of it sees it.

/** A page as it came. */
export interface HttpPage {
  /** The answer, parsed as JSON. */
  readonly body: unknown
  readonly headers: Headers
  /** Where it came from. */
  readonly url: string
}
