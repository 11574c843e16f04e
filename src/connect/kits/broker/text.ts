// Bytes of messages as text, where they are text; never with other characters in place of theirs.

import { isUtf8 } from 'node:buffer'
import { escapeBytes, malformedFault } from '../files/records/raw.ts'
import type { NamedTexts } from '../text/named-texts.ts'

/** Bytes as they came: a view of them, not a copy. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The text of bytes; undefined where they are not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? bufferOf(bytes).toString() : undefined
}

/** Bytes for people, and to be had back from: as text, or with `\xNN` where they are not UTF-8. */
export function rawOf(bytes: Uint8Array): string {
  return textOf(bytes) ?? escapeBytes(bufferOf(bytes))
}

/**
 * Texts by name. One whose bytes are not UTF-8 throws when its name is read: who needs it gets a dead letter, and nobody
 * else.
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

/** Sets a text, or several, as a property: one that throws when it is read where bytes of it are not UTF-8. */
export function defineTexts(object: object, name: string, what: string, all: readonly Uint8Array[]): void {
  const texts = all.map(textOf)
  const malformed = all[texts.indexOf(undefined)]
  if (malformed === undefined) {
    const value = texts.length === 1 ? texts[0] : texts
    // Defined, not set: a name that every object inherits is one like others.
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
    return
  }
  const get = (): never => {
    const raw = rawOf(malformed)
    throw new TypeError(`${what} is ${malformedFault(raw, 'UTF-8')} in ${raw.slice(0, 200)}`)
  }
  Object.defineProperty(object, name, { get, enumerable: true, configurable: true })
}
