import { deepEqual, equal, match } from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { readEntries } from '../../../../testing/conformance/reading.ts'
import { tempFolder } from '../../../../testing/temp-folder.ts'
import { times } from '../../../../testing/times.ts'
import { csvSource } from '../../../files/csv.ts'
import { jsonArraySource } from '../../../files/json-array.ts'
import { lines } from '../../../files/lines.ts'
import { ndjsonSource } from '../../../files/ndjson.ts'
import { fileSource } from '../../../files/source.ts'
import { accessLog } from '../../../formats/access-log/format.ts'
import { textLines } from '../../../formats/text.ts'
import type { DeadLetter, Origin, SourceRecord } from '../../../origin.ts'
import type { Position, Source } from '../../../source.ts'
import { bytesOfEscaped, escapeBytes, escapeMalformed, looksEscaped, textOfEscaped } from './raw.ts'

const folder = tempFolder('sluice-read-again-')
let made = 0

function fileOf(content: string | Uint8Array): string {
  made += 1
  const path = join(folder, `${made}.txt`)
  writeFileSync(path, content)
  return path
}

async function read<T>(
  source: Source<T>,
  from?: Position,
): Promise<{ entries: SourceRecord<T>[]; position: Position }> {
  const [split] = await source.splits()
  const reader = await source.open(split!, from)
  const entries: SourceRecord<T>[] = []
  for (let some = await readEntries(reader, 100); some !== undefined; some = await readEntries(reader, 100))
    entries.push(...some)
  const position = reader.position()
  await reader.close()
  return { entries, position }
}

/** Dead letters, and those that they are when they are read again, and again after that. */
async function lettersOf<T>(source: Source<T>, from?: Position): Promise<[DeadLetter, SourceRecord<T>][]> {
  const { entries } = await read(source, from)
  return entries
    .filter((entry) => entry.kind === 'dead')
    .map((letter) => {
      const again = source.reparse!(letter.origin, letter.reason)
      if (again.kind === 'dead') deepEqual(source.reparse!(letter.origin, again.reason), again)
      return [letter, again]
    })
}

const reasonOf = (entry: SourceRecord<unknown> | undefined): string =>
  entry?.kind === 'dead' ? entry.reason : 'loaded'

describe('a record of a dead letter that is not whole', () => {
  const long = 'é'.repeat(3000)
  const kept =
    /^(line|record|element) of 6,\d\d\d bytes, limit 2,000: its dead letter keeps only the first 1,02[34] bytes; to load it, read its source again with a larger (maxLineBytes|maxRecordBytes)$/
  const sources: Record<string, [content: string, (path: string, most?: number) => Source<unknown>]> = {
    textLines: [`a\n${long}\nb\n`, (path, most = 2000) => lines(path, { maxLineBytes: most })],
    ndjson: [`1\n"${long}"\n`, (path, most = 2000) => ndjsonSource(path, { maxLineBytes: most })],
    accessLog: [`${long}\n`, (path, most = 2000) => fileSource(path, accessLog(), { maxLineBytes: most })],
    csv: [`a\n${long}\nb\n`, (path, most = 2000) => csvSource(path, { maxRecordBytes: most })],
    jsonArray: [`[1, "${long}"]`, (path, most = 2000) => jsonArraySource(path, { maxRecordBytes: most })],
    'textLines in Latin-1': [
      'a\n'.padEnd(6002, 'x'),
      (path, most = 2000) => lines(path, { maxLineBytes: most, encoding: 'latin1' }),
    ],
  }
  for (const [name, [content, open]] of Object.entries(sources)) {
    it(`X33: stays a letter that says how much of it was kept: ${name}`, async () => {
      const path = fileOf(content)
      const [[letter, again] = []] = await lettersOf(open(path))
      match(reasonOf(letter), /bytes, limit 2,000$/)
      match(reasonOf(again), kept)
      equal(again?.kind === 'dead' && again.step, letter?.step)
      // What was not kept does not come back with a larger limit.
      match(reasonOf(open(path, 1_000_000).reparse!(letter!.origin, letter!.reason)), kept)
    })
  }

  it('X11, X33: stays a letter where only bytes that are not text were kept', async () => {
    const path = fileOf(Buffer.concat([Buffer.from('\\a'), Buffer.alloc(4000, 0xe9)]))
    const [[, again] = []] = await lettersOf(lines(path, { maxLineBytes: 2000 }))
    match(reasonOf(again), /keeps only the first 1,024 bytes/)
  })

  it('X33: stays a letter where it is the rest of a record that was given', async () => {
    for (const open of [lines, (path: string) => csvSource(path, { header: ['a'] })]) {
      const path = fileOf('one\ntwo')
      const { position } = await read<unknown>(open(path))
      appendFileSync(path, ' and a half\nthree\n')
      const [[letter, again] = []] = await lettersOf<unknown>(open(path), position)
      equal(letter?.origin.raw, ' and a half')
      match(reasonOf(again), /^rest of a (line|record) .*: to load it as a whole, read its source again$/)
    }
  })

  it('X33: stays a letter where it has a NUL, also where the database has no form for that', async () => {
    for (const source of [lines(fileOf('a\0b\n')), csvSource(fileOf('x\na\0b\n')), ndjsonSource(fileOf('"a\0b"\n'))]) {
      const [[letter, again] = []] = await lettersOf<unknown>(source)
      match(reasonOf(again), /^NUL byte at column \d$/)
      const stored: Origin = { ...letter!.origin, raw: letter!.origin.raw.replace('\0', '\\x00') }
      equal(reasonOf(source.reparse!(stored, letter!.reason)), reasonOf(again))
    }
  })
})

describe('the raw form of a record', () => {
  it('X34: looks like escaped bytes only where all of its backslashes do', () => {
    for (const one of ['GET "\\x22"', 'C:\\x', '{"a":"\\"\\\\"}', 'caf\\xE9', 'caf\\xe9 \\n'])
      equal(looksEscaped(one), false)
    for (const one of ['caf\\xe9', 'a\\\\b\\xe9', '\\xe9\\x41']) equal(looksEscaped(one), true)
  })

  it('X11, X34: gives all bytes back that were escaped', () => {
    const pieces = fc.constantFrom('\\', '\\xe9', '\\x41', 'x', 'é', '€').map((piece) => Buffer.from(piece))
    const byte = fc.integer({ min: 0x80, max: 0xff }).map((one) => Buffer.of(one))
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, byte)), (all) => {
        const bytes = Buffer.concat(all)
        const raw = escapeBytes(bytes)
        if (isUtf8(bytes)) return
        equal(looksEscaped(raw), true)
        deepEqual(bytesOfEscaped(raw), bytes)
        equal(textOfEscaped(raw), escapeMalformed(bytes))
      }),
      { numRuns: times(1000) },
    )
  })

  /** What a format that wants a `!` makes of lines, first as they are read, and again once it does not. */
  const wanting = (path: string, options: object, isMended: boolean): Source<string> =>
    fileSource(
      path,
      { ...textLines(), open: () => (line) => (isMended || line.endsWith('!') ? line : refuse()) },
      options,
    )
  const refuse = (): never => {
    throw new Error('no !')
  }

  for (const malformed of ['escape', 'replace', 'reject'] as const) {
    it(`X34: gives the record back that reading gives, of text and of bytes: malformed ${malformed}`, async () => {
      const all = [
        'caf\\xe9',
        'a\\\\b\\xe9',
        '\\x5c',
        'a\\b',
        'é\\',
        'caf\xe9',
        'a\\b\xe9\\xe9',
        'a\\\\\xe9',
        '\xc3\xa9',
      ]
      for (const encoding of [undefined, 'shift_jis', 'windows-1252', 'gb18030']) {
        const path = fileOf(Buffer.from(`${all.join('\n')}\n`, 'latin1'))
        const options = { malformed, ...(encoding === undefined ? {} : { encoding }) }
        const read1 = (await read(wanting(path, options, true))).entries
        const letters = await lettersOf(wanting(path, options, false))
        equal(letters.length, all.length)
        const source = wanting(path, options, true)
        for (const [at, [{ origin, reason }]] of letters.entries()) {
          const again = source.reparse!(origin, reason)
          const first = read1[at]!
          equal(again.kind, first.kind, `${encoding} ${all[at]}`)
          if (again.kind === 'event' && first.kind === 'event') equal(again.value, first.value)
          else equal(reasonOf(again), reasonOf(first))
        }
      }
    })
  }

  it('X34: is refused where it may be of bytes or of a text, and its file does not tell', async () => {
    const of = (name: string): Origin => ({ source: join(folder, name), line: 1, offset: 0, raw: 'a\\\\\\xe9' })
    const path = fileOf('a\\\\\\xe9\n')
    const text = lines(path).reparse!({ ...of(''), source: path }, '')
    equal(text.kind === 'event' && text.value, 'a\\\\\\xe9')
    writeFileSync(path, Buffer.from('a\\\xe9\n', 'latin1'))
    const bytes = lines(path).reparse!({ ...of(''), source: path }, '')
    equal(bytes.kind === 'event' && bytes.value, 'a\\\\xe9')
    for (const origin of [of('gone.txt'), { ...of(''), source: fileOf('another\n') }, { ...of(''), source: 'stdin' }])
      match(reasonOf(lines('*.txt').reparse!(origin, '')), /^its \\xNN may be invalid bytes.* does not tell$/)
    // Both are the same here.
    equal(lines('*.txt').reparse!({ ...of('gone.txt'), raw: 'a\\xe9' }, '').kind, 'event')
  })

  it('X34: is read by the encoding that should have been named, where its bytes are known, or refused', async () => {
    const path = fileOf(Buffer.from('name\nJos\xe9 \\ \\x41\n', 'latin1'))
    const [[letter] = []] = await lettersOf(csvSource(path))
    const again = csvSource(path, { encoding: 'latin1' }).reparse!(letter!.origin, letter!.reason)
    deepEqual(again.kind === 'event' && again.value, { name: 'José \\ \\x41' })
    equal(
      reasonOf(csvSource(path, { encoding: 'gbk' }).reparse!(letter!.origin, letter!.reason)),
      'not UTF-8: found the byte \\xe9; to load it as gbk, read its source again',
    )
  })
})

describe('the file of a record that is read again', () => {
  const wrong = (path: string) => csvSource(path, { columns: { a: 'integer', b: 'text' } })
  const right = (path: string) => csvSource(path, { columns: { a: 'text', b: 'text' } })
  const again = async (path: string, content: string | Uint8Array) => {
    writeFileSync(path, content)
    const [[letter] = []] = await lettersOf<unknown>(wrong(path))
    return () => right(path).reparse!(letter!.origin, letter!.reason)
  }
  const rows = 'b,a\n1,x\n'

  for (const [name, pack] of Object.entries({
    plain: (bytes: Buffer) => bytes,
    gzip: zlib.gzipSync,
    zstd: zlib.zstdCompressSync,
  })) {
    it(`X35: says what its header and dialect are: ${name}`, async () => {
      const get = await again(fileOf(''), pack(Buffer.from(rows)))
      const entry = get()
      deepEqual(entry.kind === 'event' && entry.value, { a: 'x', b: '1' })
    })
  }

  it('X35: is not taken for another that has its name, or for one that is gone', async () => {
    const path = fileOf('')
    const get = await again(path, rows)
    writeFileSync(path, 'a,b\n1,z\n')
    match(
      reasonOf(get()),
      /^no record determined the columns .*\(read without its file, which has other content now\)$/,
    )
    renameSync(path, `${path}.1`)
    match(reasonOf(get()), /\(read without its file, which cannot be read any more: ENOENT\)$/)
    execFileSync('mkfifo', [path])
    match(reasonOf(get()), /\(read without its file, which is not a regular file\)$/)
    rmSync(path)
    renameSync(`${path}.1`, path)
    writeFileSync(path, 'c,b\n1,x\n')
    match(reasonOf(get()), /it has no column "a"/)
  })

  it('X35: was standard input, whatever file has that name', async () => {
    const origin = { source: 'stdin', line: 2, offset: 4, raw: '1,x' }
    match(reasonOf(csvSource('-').reparse!(origin, '')), /\(read without its file, which was standard input\)$/)
    const named = csvSource('-', { header: ['a', 'b'] }).reparse!(origin, '')
    deepEqual(named.kind === 'event' && named.value, { a: '1', b: 'x' })
  })

  it('X35: is not needed by formats that are told how it is written; a common line alone is not taken for a request', () => {
    const common = '::1 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 12'
    const of = (raw: string) => ({ source: join(folder, 'gone.log'), line: 1, offset: 0, raw })
    const auto = fileSource('gone.log', accessLog())
    equal(auto.reparse!(of(`${common} "-" "curl"`), '').kind, 'event')
    match(reasonOf(auto.reparse!(of(common), '')), /read without its file/)
    equal(fileSource('gone.log', accessLog({ dialect: 'any' })).reparse!(of(common), '').kind, 'event')
  })
})
