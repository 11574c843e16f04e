import type { Transferable } from 'node:worker_threads'
export type Packed = { readonly kind: 'cloned'; readonly events: readonly unknown[] }
export class Packer {
  pack(batch: readonly unknown[]): Packed {
    return { kind: 'cloned', events: batch }
  }
}
export class Unpacker {
  unpack(packed: Packed): unknown[] {
    return packed.events as unknown[]
  }
}
export function transferablesOf(_: Packed): Transferable[] {
  return []
}
export function bytesOf(packed: Packed): number {
  return packed.events.length * 100
}
