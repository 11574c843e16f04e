// Entries of a Redis stream, and the order of their ids.

import { rawOf } from '../kits/broker/text.ts'

/** One entry; one that was deleted before it was read has no fields. */
export interface RedisEntry {
  readonly id: string
  /** In order; a name may come several times. */
  readonly fields: readonly (readonly [name: string, bytes: Uint8Array])[] | undefined
}

/** Compares ids of entries: `1526919030474-55`. */
export function compareIds(a: string, b: string): number {
  const [aMs = '', aNumber = '0'] = a.split('-')
  const [bMs = '', bNumber = '0'] = b.split('-')
  return compareNumbers(aMs, bMs) || compareNumbers(aNumber, bNumber)
}

/** Both are up to 64 bits wide: as text, the longer one is the larger one. */
function compareNumbers(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}

/** Whether a text is an id, and not a special one. */
export function isId(text: unknown): text is string {
  return typeof text === 'string' && /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/.test(text)
}

/** The entries of an answer to XREAD or XREADGROUP for one stream, in RESP 2. */
export function recordsOf(answer: unknown): RedisEntry[] {
  const [stream] = (answer ?? []) as [unknown, readonly [Uint8Array, readonly Uint8Array[] | null][]][]
  return (stream?.[1] ?? []).map(([id, values]) => {
    if (values === null) return { id: String(id), fields: undefined }
    const fields: [string, Uint8Array][] = []
    for (let at = 0; at + 1 < values.length; at += 2) fields.push([nameOf(values[at]), values[at + 1] as Uint8Array])
    return { id: String(id), fields }
  })
}

/** Names that are not UTF-8 must not become equal. */
function nameOf(name: Uint8Array | undefined): string {
  return name === undefined ? '' : rawOf(name)
}
