// The metadata of a NATS message: in a file of its own, so that users see this type and not those of the client.

import type { NamedTexts } from '../kits/text/named-texts.ts'

/** The metadata of a message. */
export interface NatsMeta {
  readonly subject: string
  /** Its sequence number in the stream. */
  readonly sequence: number
  /** When the server took it, in epoch milliseconds. */
  readonly timeMs: number
  /** All values of a repeated name. */
  readonly headers: NamedTexts
}
