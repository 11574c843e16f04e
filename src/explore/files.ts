// Files, by name, glob or folder: what is in them, and the source that reads it.

import { open, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { SluiceError } from '../base/errors.ts'
import { parquetSource } from '../connect/files/parquet.ts'
import { ParquetFiles } from '../connect/formats/parquet/file.ts'
import { decode } from '../connect/kits/files/bytes/decode.ts'
import { FileBlocks } from '../connect/kits/files/bytes/file-blocks.ts'
import { DEFAULT_LIMITS } from '../connect/kits/files/bytes/limits.ts'
import { quotePath } from '../connect/kits/files/errors.ts'
import { type FoundFile, listFiles } from '../connect/kits/files/list.ts'
import { bytesText, many } from '../observe/text.ts'
import { call, plainName } from '../scaffold/code.ts'
import { detect } from './detect.ts'
import { filesIn } from './folder.ts'
import type { Found, Looking } from './found.ts'
import { type Head, isWritten, notText, readHead, textOf } from './head.ts'
import { textSource } from './text-source.ts'

/** The request in a line of an access log. */
const REQUEST = /\b(?:GET|POST|HEAD|PUT) \S+ HTTP\/\d/
/** Larger compressed files are verified for longer than there is time: of these the beginning is looked at. */
const LARGE_PACKED_BYTES = 16 * 1024 * 1024
/** How much of their content. */
const BEGINNING_BYTES = 32 * 1024 * 1024
/** Larger plain files are cut into ranges. */
const LARGE_BYTES = 64 * 1024 * 1024
/** What a reader of Parquet may hold. */
const HELD_BYTES = 64 * 1024 * 1024

/**
 * @param as - what the code calls a single file
 * @throws {SluiceError} SOURCE_MISSING, SOURCE_UNREADABLE, SOURCE_CORRUPT, SOURCE_LIMIT
 */
export async function findFiles(given: string, looking: Looking, as?: string): Promise<Found> {
  if (given === '-') throw notText(given, 'standard input can be read only once: write it into a file first')
  const isFolder = (await stat(given).catch(() => undefined))?.isDirectory() === true
  const { glob: named, notes } = isFolder ? await filesIn(given) : { glob: given, notes: [] }
  const listed = await listFiles(named, { allowSpecial: false, signal: looking.signal })
  const files = listed.filter((one) => one.kind === 'file')
  // The largest one tells most.
  const [file] = files.toSorted((a, b) => b.sizeBytes - a.sizeBytes)
  if (file === undefined) throw empty(named, files.length)
  const head = await readHead(file.path, looking.signal)
  if (head.bytes.length === 0) throw empty(named, files.length)
  const sizeBytes = files.reduce((sum, one) => sum + one.sizeBytes, 0)
  const name = plainName(isFolder ? resolve(given) : named)
  const about = { name, named, as: as ?? named, files, sizeBytes, notes }
  return isParquet(head) ? parquetFound(about) : await textFound(file, head, about, looking)
}

interface About extends Pick<Found, 'name' | 'notes'> {
  /** What is read, and what the code calls it. */
  readonly named: string
  readonly as: string
  readonly files: readonly FoundFile[]
  readonly sizeBytes: number
}

function isParquet({ packed, bytes }: Head): boolean {
  return packed === 'plain' && bytes.toString('latin1', 0, 4) === 'PAR1'
}

function parquetFound({ name, named, as, files, sizeBytes, notes }: About): Found {
  return {
    ...{ name, sizeBytes, notes },
    words: wordsOf('Parquet', files),
    source: parquetSource(named, { maxHeldBytes: HELD_BYTES }),
    code: call('parquetSource<Row>', [as]),
    hasRowType: true,
    async countRows() {
      const parquet = new ParquetFiles(HELD_BYTES)
      let rows = 0
      for (const { path } of files.slice(0, MOST_COUNTED)) {
        const { footer } = await parquet.look(path)
        for (const group of footer.groups) rows += group.rows
      }
      const share = Math.min(1, MOST_COUNTED / files.length)
      return { rows: Math.round(rows / share), isExact: share === 1 }
    },
  }
}

/** The most files of which the rows are counted. */
const MOST_COUNTED = 100

async function textFound(file: FoundFile, head: Head, about: About, looking: Looking): Promise<Found> {
  const { name, named, as, files, sizeBytes } = about
  const text = textOf(head)
  const written = text.lines.filter(isWritten)
  if (head.isWhole && written.length === 0) throw empty(named, files.length)
  const isPlain = head.packed === 'plain'
  const { encoding } = text
  const beginning =
    isPlain || file.sizeBytes <= LARGE_PACKED_BYTES ? undefined : await copyBeginning(file, head, looking)
  // Line ends of several bytes cannot be searched from the middle of a file.
  const isCut = isPlain && sizeBytes > LARGE_BYTES && encoding?.startsWith('utf-16') !== true
  const input = { input: beginning?.path ?? named, named: as, encoding, isCut }
  const kind = detect(file.path, head, text)
  const { words, ...source } = await textSource(kind, input, looking)
  const notes = [...about.notes, ...(encoding === undefined ? [] : [`its text is encoded as ${encoding}`])]
  if (kind.kind !== 'access-log' && written.filter((line) => REQUEST.test(line)).length > written.length / 2)
    notes.push("for an access log in a format of its own, take fileSource(…, accessLog({ format: '…' }))")
  const packed = isPlain ? '' : `, compressed with ${head.packed}`
  const found = { ...source, name, sizeBytes, notes, words: wordsOf(`${words}${packed}`, files) }
  if (beginning === undefined) return found
  const of = files.length > 1 ? `of ${quotePath(file.path)}` : 'of the content'
  return {
    ...found,
    notes: [...notes, `sampled: the first ${bytesText(beginning.contentBytes)} ${of}`],
    share: beginning.storedBytes / sizeBytes,
    shownAs: { path: beginning.path, name: file.path },
  }
}

function wordsOf(words: string, files: readonly FoundFile[]): string {
  return files.length === 1 ? words : `${words}, in ${many(files.length, 'file')}`
}

/** Unpacks the beginning of a file into one of its own, up to a line end. */
async function copyBeginning(
  { path, sizeBytes }: FoundFile,
  { packed }: Head,
  { folder, signal, untilMs }: Looking,
): Promise<{ readonly path: string; readonly contentBytes: number; readonly storedBytes: number }> {
  const copy = join(folder, 'beginning')
  await using input = await open(path)
  await using output = await open(copy, 'wx')
  const stored = new FileBlocks(input, { path, sizeBytes, blockBytes: 64 * 1024, signal })
  const content = decode(packed, stored, path, DEFAULT_LIMITS)
  let contentBytes = 0
  try {
    for (let isLast = false; !isLast; ) {
      const block = await content.read()
      if (block === undefined) break
      isLast = contentBytes + block.length >= BEGINNING_BYTES || systemClock.nowMs() >= untilMs
      const end = isLast ? block.lastIndexOf(0x0a) + 1 || block.length : block.length
      await output.write(block, 0, end)
      contentBytes += end
    }
    return { path: copy, contentBytes, storedBytes: content.takenBytes }
  } finally {
    content.close()
  }
}

function empty(named: string, files: number): SluiceError {
  const found = files === 1 ? 'it is empty' : 'its files are empty'
  return new SluiceError('SOURCE_MISSING', `Cannot try ${quotePath(named)}: ${found}`, { source: named })
}
