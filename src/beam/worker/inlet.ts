// What came from other stages: batches out of the bytes of an element.

import { deserialize } from 'node:v8'
import { type Batch, batchFrom } from '../../connect/batch.ts'
import { Unpacker } from '../../engine/codec/codec.ts'
import type { Sent } from './outlet.ts'

export class Inlet {
  readonly #unpacker = new Unpacker()

  /** The batches of an element, and the crossing that they took. */
  read(bytes: Uint8Array): { readonly crossing: string; readonly batches: readonly Batch[] } {
    const { crossing, packed } = deserialize(bytes) as Sent
    return { crossing, batches: packed.map((one) => batchFrom(this.#unpacker.unpack(one))) }
  }
}
