// What a pipeline under test reads in place of its source: events, or text and files in the source's own format.

import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeValue } from '../../base/check.ts'
import { readOf } from '../../connect/batch.ts'
import { fileSource } from '../../connect/files/source.ts'
import { type LineFormat, Rejection } from '../../connect/format.ts'
import { valuesSource } from '../../connect/memory/values.ts'
import { deadLetter, type SourceRecord, tracked } from '../../connect/origin.ts'
import type { Source } from '../../connect/source.ts'

/**
 * What a source gives:
 *
 * - events, as an array;
 * - `text`: the content of a file, or of several, read as the source reads its files. Of a source of messages, each
 *   text is a message;
 * - `files`: paths or globs, read as the source reads its files.
 */
export type Given<T = unknown> =
  | readonly T[]
  | { readonly text: string | readonly string[] }
  | { readonly files: string | readonly string[] }

/** Makes the sources of a test; what is given to the same one again is added to what it had. */
export class GivenSources {
  readonly #folder: string
  readonly #given = new Map<number, Given[]>()

  /**
   * @param folder - where texts become files
   */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** @throws {TypeError} for what is not one of them, or of another kind than before */
  async add(number: number, given: Given): Promise<void> {
    const before = this.#given.get(number) ?? []
    const kind = kindOf(given)
    if (before[0] !== undefined && kindOf(before[0]) !== kind)
      throw new TypeError(`What is given again must be ${kindOf(before[0])} as before: found ${kind}`)
    this.#given.set(number, [...before, given])
    for (const [at, text] of 'text' in given ? textsOf(given.text).entries() : []) {
      await appendFile(this.#pathOf(number, at), text)
    }
  }

  /** Stands for one of the pipeline's sources; the source itself if nothing was given for it. */
  inPlaceOf<S>(number: number, replaced: S): S | Source<unknown> {
    const source = replaced as Source<unknown>
    const all = this.#given.get(number)
    const [first] = all ?? []
    if (all === undefined || first === undefined) return replaced
    if ('files' in first) return readerOf(source)(all.flatMap((one) => ('files' in one ? textsOf(one.files) : [])))
    if (!('text' in first)) return valuesSource(all.flatMap((one) => one as readonly unknown[]))
    const texts = all.map((one) => ('text' in one ? textsOf(one.text) : []))
    if (source.needsAck === true && source.format !== undefined) return messages(texts.flat(), source.format)
    const files = Math.max(...texts.map(({ length }) => length))
    return readerOf(source)(Array.from({ length: files }, (_, at) => this.#pathOf(number, at)))
  }

  #pathOf(number: number, at: number): string {
    return join(this.#folder, number === 0 ? `given-${at + 1}` : `joined-${number}-${at + 1}`)
  }
}

function kindOf(given: Given): string {
  if (Array.isArray(given)) return 'an array'
  const names = typeof given === 'object' && given !== null ? Object.keys(given) : []
  const [name, more] = names
  if ((name === 'text' || name === 'files') && more === undefined) return `{ ${name} }`
  throw new TypeError(`What is given must be an array of events, { text } or { files }: found ${describeValue(given)}`)
}

function textsOf(texts: string | readonly string[]): readonly string[] {
  return typeof texts === 'string' ? [texts] : texts
}

/** How a source reads files in the place of its own. */
function readerOf({
  over,
  format,
  needsAck,
  title = 'values',
}: Partial<Source<unknown>>): (files: readonly string[]) => Source<unknown> {
  if (over !== undefined) return over
  if (format !== undefined && needsAck !== true) return (files) => fileSource(files, format)
  throw new TypeError(`Cannot read text or files as ${title} reads: give its events, as an array`)
}

/** Messages in a format, which came one after the other. */
function messages(texts: readonly string[], format: LineFormat<unknown>): Source<unknown> {
  return {
    kind: 'messages',
    title: `messages as ${format.name}`,
    splits: async () => [{ id: 'messages' }],
    async open(_split, from) {
      const parse = format.open(() => [])
      const counts = { read: 0, blank: 0, invalidUtf8: 0 }
      let next = Number(from ?? 0)
      const recordOf = (raw: string, at: number): SourceRecord<unknown> => {
        const origin = { source: 'messages', line: 0, offset: at, raw }
        const value = parse(raw, origin)
        return value instanceof Rejection ? deadLetter(origin, format.name, value.reason) : tracked(value, origin)
      }
      return {
        read(max) {
          if (next >= texts.length) return undefined
          const some = texts.slice(next, next + max).map((text, at) => recordOf(text, next + at))
          next += some.length
          counts.read += some.length
          return readOf(some)
        },
        position: () => next,
        counts,
        doneBytes: 0,
        close: async () => {},
      }
    },
  }
}
