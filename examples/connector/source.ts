// Reads the mails of a maildir, in the order of their names: that is the order in which they were delivered.

import { isUtf8 } from 'node:buffer'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from 'sluice'
import {
  deadLetter,
  type OpenOptions,
  optionInvalid,
  type Position,
  type ReadBatch,
  readOf,
  type Source,
  type SourceCounts,
  type SourceRecord,
  type SplitReader,
  tracked,
} from 'sluice/connect'

export interface Mail {
  /** Its name in the folder. */
  readonly name: string
  readonly text: string
}

/** What a checkpoint holds: the last mail, and how many there were up to it, over all runs. */
interface Place {
  readonly after: string
  readonly count: number
}

/**
 * Reads what was delivered to `new/` when it is opened; a later run continues after the last mail that was committed.
 */
export function maildirSource(path: string): Source<Mail> {
  if (typeof path !== 'string' || path === '')
    throw optionInvalid('maildirSource', 'path', path, 'the path of a maildir')
  return {
    kind: 'maildir',
    title: `mails in ${path}`,
    isCounted: true,
    splits: async () => [{ id: `maildir ${path}` }],
    async open(_split, from, options = {}) {
      const place = placeOf(path, from)
      options.signal?.throwIfAborted()
      const names = (await namesIn(path)).filter((name) => name > place.after)
      return new MaildirReader(path, names, place, options)
    },
  }
}

class MaildirReader implements SplitReader<Mail> {
  readonly counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  doneBytes = 0
  readonly #folder: string
  readonly #names: readonly string[]
  readonly #signal: AbortSignal | undefined
  #place: Place

  constructor(path: string, names: readonly string[], place: Place, { signal }: OpenOptions) {
    this.#folder = join(path, 'new')
    this.#names = names
    this.#place = place
    this.#signal = signal
  }

  async read(max: number): Promise<ReadBatch<Mail> | undefined> {
    const names = this.#names.slice(this.counts.read, this.counts.read + max)
    if (names.length === 0) return undefined
    const entries: SourceRecord<Mail>[] = []
    for (const name of names) entries.push(await this.#mail(name))
    return readOf(entries)
  }

  position(): Position {
    return { ...this.#place }
  }

  async close(): Promise<void> {}

  async #mail(name: string): Promise<SourceRecord<Mail>> {
    this.#signal?.throwIfAborted()
    const path = join(this.#folder, name)
    const bytes = await readFile(path).catch((cause) => Promise.reject(unreadable(path, cause)))
    const origin = { source: path, line: 0, offset: this.#place.count, raw: bytes.toString() }
    this.#place = { after: name, count: this.#place.count + 1 }
    this.counts.read += 1
    this.doneBytes += bytes.length
    if (isUtf8(bytes)) return tracked({ name, text: origin.raw }, origin)
    this.counts.invalidUtf8 += 1
    return deadLetter(origin, 'maildir', 'it is not UTF-8')
  }
}

/** Names beside mails begin with a dot. */
async function namesIn(path: string): Promise<string[]> {
  const folder = join(path, 'new')
  const names = await readdir(folder).catch((cause) => Promise.reject(unreadable(folder, cause)))
  return names.filter((name) => !name.startsWith('.')).sort()
}

function placeOf(path: string, from: Position | undefined): Place {
  if (from === undefined) return { after: '', count: 0 }
  const { after, count } = Object(from) as Partial<Place>
  if (typeof after === 'string' && Number.isSafeInteger(count)) return { after, count: count as number }
  const position = JSON.stringify(from)
  const message = `Cannot resume mails in ${path}: the checkpoint holds no name of a mail, found ${position}`
  throw new SluiceError('POSITION_LOST', message, { source: path, position })
}

function unreadable(path: string, cause: NodeJS.ErrnoException): SluiceError {
  const { code: errno = 'EIO', message } = cause
  if (errno === 'ENOENT')
    return new SluiceError('SOURCE_MISSING', `Cannot read ${path}: it is not there`, { source: path })
  const details = { source: path, offset: 0, errno }
  return new SluiceError('SOURCE_UNREADABLE', `Cannot read ${path}: ${message}`, details, { cause })
}
