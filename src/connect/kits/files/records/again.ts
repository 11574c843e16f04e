// Reads records again from what their dead letters keep of them.

import { isSluiceError } from '../../../../base/errors.ts'
import { type ParseLine, Rejection } from '../../../format.ts'
import { deadLetter, type Origin, type SourceRecord, tracked } from '../../../origin.ts'
import { type Charset, CharsetDecoder } from '../characters/charset.ts'
import { ReopenedFile } from '../reopened-file.ts'
import { faultOfKept } from './fault.ts'
import { bytesOfEscaped, looksEscaped, malformedFault, replaceEscapes, textOfEscaped } from './raw.ts'
import { parsed } from './record-parser.ts'
import type { ContentHead, Records } from './records.ts'

/** How many files are cached. */
const MOST_FILES = 100

/** A dead letter's reason that names the encoding in which its bytes are invalid. */
const NOT_OF = /^not ([\w-]+): found the byte /

const UTF8 = 'UTF-8'

/** How a record is parsed, and why its own file could not be examined for that. */
interface Parser<T> {
  readonly parse: ParseLine<T> | Rejection
  readonly missing?: string
}

/**
 * Reads records of files again: each becomes what its file would yield now, or a dead letter. An incomplete raw form is
 * never taken for a record, and header and dialect are those of its file, if the record is still in it.
 */
export class Again<T> {
  readonly #records: Records<T>
  readonly #charset: Charset | undefined
  readonly #files = new Map<string, ReopenedFile | string>()
  readonly #parsers = new Map<ReopenedFile, ParseLine<T> | Rejection>()
  /** For records whose file is not examined, and whether the format would examine it. */
  #alone: { readonly parse: ParseLine<T>; readonly looks: boolean } | undefined

  constructor(records: Records<T>, charset: Charset | undefined) {
    this.#records = records
    this.#charset = charset
  }

  /**
   * @param reason - why it was rejected: some reasons say that the raw form is incomplete
   */
  read(origin: Origin, reason = ''): SourceRecord<T> {
    const value = this.#valueOf(origin, reason)
    return value instanceof Rejection ? deadLetter(origin, this.#records.name, value.reason) : tracked(value, origin)
  }

  #valueOf(origin: Origin, reason: string): T | Rejection {
    const { line, raw } = origin
    // Stands for a file that could not be read: no record has line 0.
    if (line === 0 && raw === '') return new Rejection('the file is read by another run')
    const fault = faultOfKept(reason, raw)
    if (fault !== undefined) return new Rejection(fault)
    const text = this.#textOf(origin, reason)
    if (text instanceof Rejection) return text
    const { parse, missing } = this.#parserOf(origin, text)
    const value = parse instanceof Rejection ? parse : parsed(parse, text, origin)
    if (!(value instanceof Rejection) || missing === undefined) return value
    return new Rejection(`${value.reason} (read without its file, ${missing})`)
  }

  /** The text of a record; a rejection if it is unknown, or its bytes cannot be encoded otherwise. */
  #textOf(origin: Origin, reason: string): string | Rejection {
    const { source, offset, raw } = origin
    const other = NOT_OF.exec(reason)?.[1]
    if (other !== undefined) return this.#textOfBytes(raw, other)
    if (!looksEscaped(raw)) return raw
    const bytes = this.#textOfBytes(raw, this.#charset?.name ?? UTF8)
    if (bytes === raw) return raw
    const file = this.#fileOf(source)
    const told = typeof file === 'string' ? undefined : file.tell(raw, offset)
    if (told !== undefined) return told === 'text' ? raw : bytes
    const why = typeof file === 'string' ? file : 'which is another now, or compressed'
    return new Rejection(`its \\xNN may be invalid bytes, or the text itself, and its file, ${why}, does not tell`)
  }

  /**
   * @param other - the encoding in which the bytes are invalid
   */
  #textOfBytes(raw: string, other: string): string | Rejection {
    const charset = this.#charset
    const { name, mostBytes } = charset ?? { name: UTF8, mostBytes: 4 }
    if (other !== name) {
      const isRestored = charset !== undefined && other === UTF8 && mostBytes === 1
      const decoded = isRestored ? new CharsetDecoder(charset).decodeSound(bytesOfEscaped(raw), true) : undefined
      const fault = `${malformedFault(raw, other)}; to load it as ${name}, read its source again`
      return decoded?.text ?? new Rejection(fault)
    }
    const { malformed } = this.#records
    if (malformed === 'escape') return textOfEscaped(raw)
    if (malformed === 'reject') return new Rejection(malformedFault(raw, name))
    return charset === undefined ? bytesOfEscaped(raw).toString('utf8') : replaceEscapes(raw)
  }

  #parserOf({ source, offset }: Origin, text: string): Parser<T> {
    this.#alone ??= this.#openAlone(source)
    const { parse: alone, looks } = this.#alone
    if (!looks) return { parse: alone }
    const file = this.#fileOf(source)
    if (typeof file === 'string') return { parse: alone, missing: file }
    if (!file.holds(text, offset)) return { parse: alone, missing: 'which has other content now' }
    const known = this.#parsers.get(file)
    if (known !== undefined) return { parse: known }
    const parse = this.#open(file)
    this.#parsers.set(file, parse)
    return { parse }
  }

  #openAlone(path: string): { readonly parse: ParseLine<T>; readonly looks: boolean } {
    let looks = false
    const bytes = (): Buffer => {
      looks = true
      return Buffer.alloc(0)
    }
    const head: ContentHead = { path, start: Buffer.alloc(0), bytes, isWhole: true, isText: true }
    const { parse } = this.#records.open(head)
    return { parse, looks }
  }

  #open({ head }: ReopenedFile): ParseLine<T> | Rejection {
    try {
      return this.#records.open(head).parse
    } catch (thrown) {
      if (!isSluiceError(thrown)) throw thrown
      return new Rejection(thrown.message)
    }
  }

  #fileOf(path: string): ReopenedFile | string {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    if (this.#files.size === MOST_FILES) {
      this.#files.clear()
      this.#parsers.clear()
    }
    const file = ReopenedFile.open(path, this.#charset)
    this.#files.set(path, file)
    return file
  }
}
