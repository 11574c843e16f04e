// What comes with a message of NATS: a file of its own, as users see the type, and not those of the client.

import type { NamedTexts } from '../kits/text/named-texts.ts'

/** What came with a message. */
export interface NatsMeta {
  readonly subject: string
  /** Its number in the stream. */
  readonly sequence: number
  /** When the server took it, in epoch milliseconds. */
  readonly timeMs: number
  /** Of a name that comes several times all of its values. */
  readonly headers: NamedTexts
}
