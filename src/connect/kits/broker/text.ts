// Bytes of messages as text, if they are text; never with replacement characters.

import { isUtf8 } from 'node:buffer'
import { escapeBytes, malformedFault } from '../files/records/raw.ts'
import type { NamedTexts } from '../text/named-texts.ts'

/** The bytes as received: a view of them, not a copy. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The text of bytes; undefined if they are not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? bufferOf(bytes).toString() : undefined
}

/** Bytes for people, from which they can be restored: as text, or with `\xNN` if they are not UTF-8. */
export function rawOf(bytes: Uint8Array): string {
  return textOf(bytes) ?? escapeBytes(bufferOf(bytes))
}

/**
 * Texts by name. One that is not UTF-8 throws when it is read: whoever needs it gets a dead letter, and nobody else.
 *
 * @param what - what they are, for the error: `header`
 */
export function textsOf(entries: Iterable<readonly [name: string, bytes: Uint8Array]>, what: string): NamedTexts {
  const named = new Map<string, Uint8Array[]>()
  for (const [name, bytes] of entries) {
    const before = named.get(name)
    if (before === undefined) named.set(name, [bytes])
    else before.push(bytes)
  }
  const texts: NamedTexts = {}
  for (const [name, all] of named) defineTexts(texts, name, `${what} ${JSON.stringify(name)}`, all)
  return texts
}

/** Sets a text, or several, as a property: one that is not UTF-8 throws when it is read. */
export function defineTexts(object: object, name: string, what: string, all: readonly Uint8Array[]): void {
  const texts = all.map(textOf)
  const malformed = all[texts.indexOf(undefined)]
  if (malformed === undefined) {
    const value = texts.length === 1 ? texts[0] : texts
    // Defined, not assigned: a name that every object inherits is like any other.
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
    return
  }
  const get = (): never => {
    const raw = rawOf(malformed)
    throw new TypeError(`${what} is ${malformedFault(raw, 'UTF-8')} in ${raw.slice(0, 200)}`)
  }
  Object.defineProperty(object, name, { get, enumerable: true, configurable: true })
}
