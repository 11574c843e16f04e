// The messages of the wire as the library reads and writes them; it is loaded when an engine is used.

import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { loadPackage } from '../../connect/kits/package.ts'

/** The schemas of all messages, by name. */
export type Schemas = typeof import('./beam_pb.js')

export interface Messages extends Schemas {
  readonly read: <D extends DescMessage>(schema: D, bytes: Uint8Array) => MessageShape<D>
  readonly write: <D extends DescMessage>(schema: D, message: MessageInitShape<D>) => Uint8Array
}

/** @throws {SluiceError} CONFIG_INVALID if the library is missing */
export async function loadMessages(): Promise<Messages> {
  return await loadPackage('@bufbuild/protobuf', async () => {
    const [{ create, fromBinary, toBinary }, schemas] = await Promise.all([
      import('@bufbuild/protobuf'),
      import('./beam_pb.js'),
    ])
    return {
      ...schemas,
      read: (schema, bytes) => fromBinary(schema, bytes),
      write: (schema, message) => toBinary(schema, create(schema, message)),
    }
  })
}
