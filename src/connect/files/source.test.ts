import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { appendFile, mkdir, mkdtemp, readFile, realpath, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { readEntries } from '../../testing/conformance/reading.ts'
import { times } from '../../testing/times.ts'
import { type LineFormat, Rejection } from '../format.ts'
import { escapeBytes } from '../kits/files/records/raw.ts'
import type { SourceRecord } from '../origin.ts'
import type { OpenOptions, Position, Source, SourceCounts, Split, SplitReader } from '../source.ts'
import { type FileSourceOptions, fileSource } from './source.ts'

/** Lines as they are; `bad` is refused, `throw` breaks the parser. */
const lines: LineFormat<string> = {
  name: 'lines',
  open: () => (line) => {
    if (line === 'throw') throw new Error('broken parser')
    return line === 'bad' ? new Rejection('it is bad') : line
  },
}

interface Reading {
  readonly entries: SourceRecord<string>[]
  readonly counts: SourceCounts
  readonly position: Position
  readonly doneBytes: number
  readonly note: string | undefined
}

/** Reads on from where a reader is, up to its end or `count` entries. */
async function readFrom(reader: SplitReader<string>, count = Number.POSITIVE_INFINITY): Promise<Reading> {
  const entries: SourceRecord<string>[] = []
  try {
    while (entries.length < count) {
      const batch = await readEntries(reader, Math.min(7, count - entries.length))
      if (batch === undefined) break
      ok(batch.length >= 1 && batch.length <= 7)
      entries.push(...batch)
    }
    const { counts, doneBytes, note } = reader
    // Through JSON, as a checkpoint keeps it.
    return { entries, counts: { ...counts }, position: JSON.parse(JSON.stringify(reader.position())), doneBytes, note }
  } finally {
    await reader.close()
  }
}

async function readOnly(source: Source<string>, from?: Position, options?: OpenOptions, count?: number) {
  const splits = await source.splits()
  equal(splits.length, 1)
  return await readFrom(await source.open(splits[0]!, from, options), count)
}

/** What a run reads that goes on from positions. */
async function resumed(source: Source<string>, positions: ReadonlyMap<string, Position>) {
  const { resume } = source
  ok(resume !== undefined)
  return await resume(positions)
}

/** A reader of a split that has been read to its end. */
async function openRead(source: Source<string>, split: Split): Promise<SplitReader<string>> {
  const reader = await source.open(split, undefined)
  while ((await readEntries(reader, 10_000)) !== undefined);
  return reader
}

/** In an order that the numbers choose. */
function shuffled<T>(all: readonly T[], order: Iterator<number>): T[] {
  const left = [...all]
  return all.flatMap(() => left.splice((order.next().value as number) % left.length, 1))
}

const textsOf = (reading: Reading) => reading.entries.map((entry) => entry.origin.raw)
const reasonsOf = (reading: Reading) => reading.entries.map((entry) => (entry.kind === 'dead' ? entry.reason : ''))

describe('files', () => {
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-files-')))
    path = join(folder, 'x.log')
  })

  afterEach(() => rm(folder, { recursive: true }))

  const source = (options?: FileSourceOptions) => fileSource(path, lines, options)

  it('gives each line with its origin, and the position after the last', async () => {
    await writeFile(path, 'a\n\nbé\n')
    const reading = await readOnly(source())
    deepEqual(reading.entries, [
      { kind: 'event', value: 'a', origin: { source: path, line: 1, offset: 0, raw: 'a' } },
      { kind: 'event', value: 'bé', origin: { source: path, line: 3, offset: 3, raw: 'bé' } },
    ])
    deepEqual(reading.counts, { read: 3, blank: 1, invalidUtf8: 0 })
    equal(reading.doneBytes, 7)
  })

  it('makes dead letters of lines that the parser refuses, and of those that it throws at', async () => {
    await writeFile(path, 'bad\na\nthrow\n')
    const reading = await readOnly(source())
    deepEqual(reading.entries[0], {
      kind: 'dead',
      origin: { source: path, line: 1, offset: 0, raw: 'bad' },
      step: 'lines',
      reason: 'it is bad',
    })
    deepEqual(reasonsOf(reading), ['it is bad', '', 'broken parser'])
  })

  it('keeps the bytes of a line that is no UTF-8 in its raw form', async () => {
    await writeFile(path, Buffer.from('caf\xe9 \\n\ncaf\\\n', 'latin1'))
    const { entries } = await readOnly(source())
    deepEqual(
      entries.map((entry) => [entry.kind === 'event' && entry.value, entry.origin.raw]),
      [
        ['caf\\xe9 \\n', 'caf\\xe9 \\\\n'],
        ['caf\\', 'caf\\'],
      ],
    )
  })

  it('gives what is at hand without a promise', async () => {
    await writeFile(path, 'a\nb\n')
    const [split] = await source().splits()
    const reader = await source().open(split!, undefined)
    equal((await readEntries(reader, 1))?.length, 1)
    ok(!(reader.read(1) instanceof Promise))
    equal(await readEntries(reader, 1), undefined)
    equal(await readEntries(reader, 1), undefined)
    await reader.close()
    await reader.close()
  })

  it('reads an empty file as no lines, plain or compressed', async () => {
    for (const content of [Buffer.alloc(0), gzipSync(''), zstdCompressSync('')]) {
      await writeFile(path, content)
      deepEqual((await readOnly(source())).entries, [])
    }
  })

  it('tells compression by content, not by name', async () => {
    await writeFile(path, gzipSync('a\nb\n'))
    deepEqual(textsOf(await readOnly(source())), ['a', 'b'])
    await writeFile(path, zstdCompressSync('a\nb\n'))
    deepEqual(textsOf(await readOnly(source())), ['a', 'b'])
    path = join(folder, 'plain.gz')
    await writeFile(path, 'a\nb\n')
    deepEqual(textsOf(await readOnly(source())), ['a', 'b'])
  })

  it('gives the same entries, offsets and counts of a file, whether it is compressed or not', async () => {
    const content = Buffer.from('\ufeffa\r\n\n\xff\0\nbé\nlast', 'latin1')
    const readings = []
    for (const stored of [content, gzipSync(content), zstdCompressSync(content)]) {
      await writeFile(path, stored)
      const { entries, counts } = await readOnly(source())
      readings.push({ entries, counts })
    }
    deepEqual(readings[1], readings[0])
    deepEqual(readings[2], readings[0])
  })

  it('holds no more of a line without end than its limit', { timeout: 60_000 }, async () => {
    await writeFile(path, 'a\n')
    // A hole in a file reads as zeros, and takes no room.
    await truncate(path, 300_000_000)
    await appendFile(path, '\nb\n')
    const before = process.memoryUsage().rss
    let most = before
    const [split] = await source().splits()
    const reader = await source().open(split!, undefined)
    const entries: SourceRecord<string>[] = []
    for (let batch = await readEntries(reader, 1); batch !== undefined; batch = await readEntries(reader, 1)) {
      entries.push(...batch)
      most = Math.max(most, process.memoryUsage().rss)
    }
    await reader.close()
    deepEqual(
      entries.map((entry) => (entry.kind === 'dead' ? entry.reason : entry.value)),
      ['a', 'line of 299,999,998 bytes, limit 1,048,576', 'b'],
    )
    equal(entries[1]?.origin.raw.length, 1024)
    ok(most - before < 64 * 1024 * 1024, `memory rose by ${most - before} bytes`)
  })

  describe('shown to a format', () => {
    let head: readonly string[] | undefined
    const format: LineFormat<string> = {
      name: 'head',
      open: (found) => {
        head = found()
        return (line) => line
      },
    }

    it('shows the first lines, without those that no parser gets', async () => {
      await writeFile(path, '\ufeffone\n\nt\0wo\nthree')
      await readOnly(fileSource(path, format))
      deepEqual(head, ['one', 'three'])
    })

    it('shows the same lines wherever reading begins', async () => {
      const content = Array.from({ length: 40_000 }, (_, i) => `line ${i}\n`).join('')
      for (const stored of [Buffer.from(content), gzipSync(content)]) {
        await writeFile(path, stored)
        const { position } = await readOnly(fileSource(path, format), undefined, {}, 30_000)
        const first = head
        equal(first?.at(-1), 'line 24840')
        await readOnly(fileSource(path, format), position)
        deepEqual(head, first)
      }
    })
  })

  describe('resumed', () => {
    it('gives what an undisturbed reader gives, wherever it is cut', async () => {
      const contents = fc.array(
        fc.constantFrom('a\n', '\n', 'bé\r\n', '\xff\n', '\0\n', 'bad\n', 'long line of text\n'),
        {
          maxLength: 40,
        },
      )
      const encodings = fc.constantFrom(
        (content: Buffer) => content,
        (content: Buffer) => gzipSync(content),
        (content: Buffer) => zstdCompressSync(content),
      )
      const cuts = fc.array(fc.nat(12), { maxLength: 4 })
      await fc.assert(
        fc.asyncProperty(
          contents,
          fc.constantFrom('', 'last'),
          encodings,
          cuts,
          async (parts, last, encode, counts) => {
            await writeFile(path, encode(Buffer.from(parts.join('') + last, 'latin1')))
            const options = { maxLineBytes: 10 }
            const whole = await readOnly(source(options))
            const entries: SourceRecord<string>[] = []
            const total = { read: 0, blank: 0, invalidUtf8: 0 }
            let from: Position | undefined
            for (const count of [...counts, Number.POSITIVE_INFINITY]) {
              const part = await readOnly(source(options), from, {}, count)
              entries.push(...part.entries)
              for (const name of ['read', 'blank', 'invalidUtf8'] as const) total[name] += part.counts[name]
              from = part.position
            }
            deepEqual(entries, whole.entries)
            deepEqual(total, whole.counts)
          },
        ),
        { numRuns: times(100) },
      )
    })

    it('has a note and nothing to give when the file is as it was', async () => {
      for (const stored of [
        Buffer.from('a\nb'),
        Buffer.from('a\nb\n'),
        gzipSync('a\nb\n'),
        zstdCompressSync('a\nb\n'),
      ]) {
        await writeFile(path, stored)
        const { position } = await readOnly(source())
        const again = await readOnly(source(), position)
        deepEqual(again.entries, [])
        match(again.note ?? '', /^nothing new since byte [34]$/)
        equal(again.doneBytes, stored.length)
        deepEqual(again.position, position)
      }
    })

    it('gives the lines that a plain file has grown by', async () => {
      await writeFile(path, 'a\nb\n')
      const { position } = await readOnly(source())
      await appendFile(path, 'c\n')
      const { entries, note } = await readOnly(source(), position)
      deepEqual(entries, [{ kind: 'event', value: 'c', origin: { source: path, line: 3, offset: 4, raw: 'c' } }])
      equal(note, undefined)
    })

    it('gives the lines of a file that was empty', async () => {
      await writeFile(path, '')
      const { position } = await readOnly(source())
      await appendFile(path, 'a\n')
      deepEqual(textsOf(await readOnly(source(), position)), ['a'])
    })

    it('takes the line end that the last line lacked for no line', async () => {
      await writeFile(path, 'a\nb')
      const { position } = await readOnly(source())
      await appendFile(path, '\nc\n')
      const { entries, counts } = await readOnly(source(), position)
      deepEqual(entries, [{ kind: 'event', value: 'c', origin: { source: path, line: 3, offset: 4, raw: 'c' } }])
      equal(counts.read, 1)
    })

    it('makes a dead letter of the rest of a line that was given in part', async () => {
      await writeFile(path, 'a\nbe')
      const { position } = await readOnly(source())
      await appendFile(path, 'tter\nc\n')
      const reading = await readOnly(source(), position)
      deepEqual(
        reading.entries.map(({ kind, origin }) => [kind, origin.raw, origin.line, origin.offset]),
        [
          ['dead', 'tter', 2, 4],
          ['event', 'c', 3, 9],
        ],
      )
      match(reasonsOf(reading)[0] ?? '', /^rest of a line whose beginning was read before/)
    })

    it('finds a file that was renamed in place, if its content is the same', async () => {
      await writeFile(path, 'a\nb\n')
      const { position } = await readOnly(source(), undefined, {}, 1)
      await writeFile(join(folder, 'copy'), 'a\nb\nc\n')
      await rename(join(folder, 'copy'), path)
      deepEqual(textsOf(await readOnly(source(), position)), ['b', 'c'])
    })

    const lost = (offset: number, found: string) => ({
      code: 'POSITION_LOST',
      message: `Cannot resume "${path}" from byte ${offset}: ${found}`,
      details: { source: path, position: `byte ${offset}` },
    })

    it('refuses a file that has shrunk', async () => {
      await writeFile(path, 'abc\ndef\n')
      const { position } = await readOnly(source())
      await truncate(path, 4)
      await rejects(readOnly(source(), position), lost(8, 'the file is now 4 bytes'))
    })

    it('refuses another file of the same name and size', async () => {
      await writeFile(path, 'abc\ndef\n')
      const { position } = await readOnly(source())
      await writeFile(path, 'xbc\ndef\n')
      await rejects(readOnly(source(), position), lost(8, 'it is another file: its first bytes differ'))
    })

    it('refuses a file with the same beginning and other bytes before the position', async () => {
      const beginning = 'the same\n'.repeat(1000)
      await writeFile(path, `${beginning}abc\n`)
      const { position } = await readOnly(source())
      await writeFile(path, `${beginning}xyz\nmore\n`)
      await rejects(readOnly(source(), position), lost(9004, 'it is another file: the bytes before it differ'))
    })

    it('refuses a compressed file that has changed', async () => {
      const stored = gzipSync('a\nb\n')
      await writeFile(path, stored)
      const { position } = await readOnly(source(), undefined, {}, 1)
      await appendFile(path, gzipSync('c\n'))
      const now = stored.length + gzipSync('c\n').length
      await rejects(readOnly(source(), position), lost(2, `the file has changed from ${stored.length} to ${now} bytes`))
    })

    it('refuses a position that is not of a file', async () => {
      await writeFile(path, 'a\n')
      for (const position of [null, 7, 'x', [], {}, { offset: -1 }, { encoding: 'plain', offset: 1e300 }]) {
        await rejects(readOnly(source(), position as Position), { code: 'POSITION_LOST' })
      }
    })
  })

  describe('cut into ranges', () => {
    it('gives exactly the lines of the file, with their numbers, range by range and resumed', async () => {
      const contents = fc.array(fc.constantFrom('a\n', '\n', 'bé\r\n', 'a long line of text\n', '\0\n'), {
        maxLength: 30,
      })
      await fc.assert(
        fc.asyncProperty(
          contents,
          fc.constantFrom('', 'last'),
          fc.integer({ min: 1, max: 60 }),
          fc.nat(3),
          fc.infiniteStream(fc.nat()),
          async (parts, last, splitBytes, count, order) => {
            await writeFile(path, parts.join('') + last)
            const whole = await readOnly(source())
            const inParts = source({ splitBytes })
            const entries: SourceRecord<string>[] = []
            let read = 0
            // In any order: a range needs no other one to have been read, and may learn from each that was.
            for (const split of shuffled(await inParts.splits(), order)) {
              const first = await readFrom(await inParts.open(split, undefined), count)
              const second = await readFrom(await inParts.open(split, first.position))
              entries.push(...first.entries, ...second.entries)
              read += first.counts.read + second.counts.read
              equal(second.doneBytes, split.sizeBytes)
            }
            entries.sort((a, b) => a.origin.offset - b.origin.offset)
            deepEqual(entries, whole.entries)
            equal(read, whole.counts.read)
          },
        ),
        { numRuns: times(100) },
      )
    })

    it('counts lines again where those before a range are no longer what they were', async () => {
      await writeFile(path, 'aaa\n'.repeat(10))
      const inParts = source({ splitBytes: 20 })
      const [first, second] = await inParts.splits()
      await readFrom(await inParts.open(first!, undefined))
      await writeFile(path, `${'b\n'.repeat(8)}${'c'.repeat(7)}\nd\n`)
      const { entries } = await readFrom(await inParts.open(second!, undefined))
      deepEqual(
        entries.map(({ origin }) => [origin.line, origin.raw]),
        [[10, 'd']],
      )
    })

    const counters = '/proc/self/io'
    it('reads a file little more than once, into however many ranges it is cut', {
      skip: existsSync(counters) ? false : 'no such counter here',
    }, async () => {
      const readBytes = () => Number(/^rchar: (\d+)$/m.exec(readFileSync(counters, 'utf8'))?.[1])
      await writeFile(path, `${'x'.repeat(99)}\n`.repeat(400_000))
      const inParts = source({ splitBytes: 1_000_000 })
      const splits = await inParts.splits()
      equal(splits.length, 40)
      const before = readBytes()
      for (const split of splits) await (await openRead(inParts, split)).close()
      const times = (readBytes() - before) / 40_000_000
      ok(times < 3, `${times} times`)
    })

    it('R32: counts the lines before a range only when something asks for a number', {
      skip: existsSync(counters) ? false : 'no such counter here',
    }, async () => {
      const readBytes = () => Number(/^rchar: (\d+)$/m.exec(readFileSync(counters, 'utf8'))?.[1])
      await writeFile(path, `${'x'.repeat(99)}\n`.repeat(100_000))
      const inParts = source({ splitBytes: 1_000_000 })
      const last = (await inParts.splits()).at(-1)!
      const reader = await inParts.open(last, undefined)
      const from = readBytes()
      const first = await reader.read(1)
      const raw = first?.events.origin(0)?.raw
      const unasked = readBytes() - from
      deepEqual([raw?.length, first?.events.origin(0)?.offset], [99, 9_000_000])
      equal(first?.events.origin(0)?.line, 90_001)
      ok(unasked < 2_000_000, `${unasked} bytes were read`)
      ok(readBytes() - from >= 9_000_000)
      await reader.close()
    })

    it('R32: numbers lines as ever after a position of a range whose lines nobody has counted', async () => {
      await writeFile(path, 'a\n\nb\r\nbad\né\nd\n')
      const [, second] = await source({ splitBytes: 8 }).splits()
      const reader = await source({ splitBytes: 8 }).open(second!, undefined)
      await reader.read(1)
      const position = JSON.parse(JSON.stringify(reader.position()))
      await reader.close()
      const { line, countedFrom } = position
      deepEqual({ line, countedFrom }, { line: 2, countedFrom: 10 })
      const [afterIt] = (await readFrom(await source({ splitBytes: 8 }).open(second!, position))).entries
      deepEqual(afterIt?.origin, { source: path, line: 6, offset: 13, raw: 'd' })
      // As earlier versions have counted.
      const counted = { ...position, line: 6, countedFrom: undefined }
      const [same] = (await readFrom(await source({ splitBytes: 8 }).open(second!, counted))).entries
      deepEqual(same, afterIt)
    })

    it('R31: tells of a line in a file that is gone where it was, with line 0 where nobody has counted', async () => {
      await writeFile(path, 'a\nb\nc\nd\n')
      const inParts = source({ splitBytes: 4 })
      const reads = []
      for (const split of [...(await inParts.splits())].reverse()) {
        const reader = await inParts.open(split, undefined)
        reads.push(await reader.read(9))
        await reader.close()
      }
      await rm(path)
      deepEqual(
        reads.map((read) => read?.events.origin(1)),
        [
          { source: path, line: 0, offset: 6, raw: 'd' },
          { source: path, line: 2, offset: 2, raw: 'b' },
        ],
      )
    })

    it('R33: reads no head of a file for a format that does not look at it', {
      skip: existsSync(counters) ? false : 'no such counter here',
    }, async () => {
      const readBytes = () => Number(/^rchar: (\d+)$/m.exec(readFileSync(counters, 'utf8'))?.[1])
      await writeFile(path, `${'x'.repeat(99)}\n`.repeat(30_000))
      const headOf = async (format: LineFormat<string>) => {
        const inParts = fileSource(path, format, { splitBytes: 1_000_000 })
        const last = (await inParts.splits()).at(-1)!
        const from = readBytes()
        await (await inParts.open(last, undefined)).close()
        return readBytes() - from
      }
      const looking: LineFormat<string> = {
        ...lines,
        open: (head) => (head().length > 0 ? (line) => line : (line) => line),
      }
      const bytes = await headOf(lines)
      ok((await headOf(looking)) - bytes > 200_000, `${bytes} bytes were read`)
    })

    it('gives what a file grows by to the ranges that it falls into, each line once', async () => {
      const contents = fc.array(fc.constantFrom('a\n', '\n', 'bé\r\n', 'a long line of text\n'), { maxLength: 20 })
      await fc.assert(
        fc.asyncProperty(contents, contents, fc.integer({ min: 1, max: 60 }), async (before, after, splitBytes) => {
          await writeFile(path, before.join(''))
          const inParts = source({ splitBytes })
          const found: SourceRecord<string>[] = []
          const positions = new Map<string, Position>()
          for (const split of await inParts.splits()) {
            const { entries, position } = await readFrom(await inParts.open(split, undefined))
            found.push(...entries)
            positions.set(split.id, position)
          }
          await appendFile(path, after.join(''))
          for (const split of await inParts.splits()) {
            found.push(...(await readFrom(await inParts.open(split, positions.get(split.id)))).entries)
          }
          found.sort((a, b) => a.origin.offset - b.origin.offset)
          deepEqual(found, (await readOnly(source())).entries)
        }),
        { numRuns: times(100) },
      )
    })

    it('C91: gives each line once, in whatever parts runs read it one after the other, as it grows', async () => {
      const contents = fc.array(fc.constantFrom('a\n', '\n', 'bé\r\n', 'a long line of text\n'), { maxLength: 20 })
      const sizes = fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constant(Number.POSITIVE_INFINITY))
      const rounds = fc.array(fc.tuple(contents, sizes), { minLength: 2, maxLength: 5 })
      // How many lines a part gives before its run ends: of some none, of some all.
      const counts = fc.infiniteStream(fc.constantFrom(0, 0, 1, 2, 100))
      await fc.assert(
        fc.asyncProperty(rounds, counts, fc.infiniteStream(fc.nat()), async (all, limits, order) => {
          await writeFile(path, '')
          const found: SourceRecord<string>[] = []
          const positions = new Map<string, Position>()
          for (const [at, [more, splitBytes]] of [...all, all[0]!].entries()) {
            if (at < all.length) await appendFile(path, more.join(''))
            const inParts = source({ splitBytes })
            const parts = shuffled(await resumed(inParts, positions), order)
            // A run that commits anything commits where its parts began, too.
            if ((limits.next().value as number) > 0) {
              for (const { split, from } of parts) if (from !== undefined) positions.set(split.id, from)
            }
            for (const { split, from } of parts) {
              const count = at < all.length ? (limits.next().value as number) : 100
              if (count === 0) continue
              const { entries, position, note } = await readFrom(await inParts.open(split, from), count)
              found.push(...entries)
              if (note === undefined) positions.set(split.id, position)
            }
          }
          found.sort((a, b) => a.origin.offset - b.origin.offset)
          deepEqual(found, (await readOnly(source())).entries)
        }),
        { numRuns: times(300) },
      )
    })

    it('C91: makes one dead letter of what completes a line, whatever the parts are then', async () => {
      for (const splitBytes of [3, 4, 5, 6, 100, Number.POSITIVE_INFINITY]) {
        for (const laterBytes of [2, 5, 7, 100, Number.POSITIVE_INFINITY]) {
          await writeFile(path, 'aa\nbb')
          const positions = new Map<string, Position>()
          const found: SourceRecord<string>[] = []
          for (const inParts of [source({ splitBytes }), source({ splitBytes: laterBytes })]) {
            for (const { split, from } of await resumed(inParts, positions)) {
              const { entries, position, note } = await readFrom(await inParts.open(split, from))
              found.push(...entries)
              if (note === undefined) positions.set(split.id, position)
            }
            await appendFile(path, 'cc\ndd\n')
          }
          const seen = found.map(({ kind, origin }) => [kind, origin.line, origin.raw])
          deepEqual(seen, [
            ['event', 1, 'aa'],
            ['event', 2, 'bb'],
            ['dead', 2, 'cc'],
            ['event', 3, 'dd'],
          ])
        }
      }
    })

    it('C91: reads each line of what earlier versions read twice no third time', async () => {
      await writeFile(path, 'line\n'.repeat(20))
      // Once as a whole and once in ranges, as far as each came.
      for (const [whole, inRanges] of [
        [20, 20],
        [20, 7],
        [7, 20],
        [7, 9],
      ] as const) {
        const positions = new Map<string, Position>([[path, (await readOnly(source(), undefined, {}, whole)).position]])
        let left = inRanges
        const ranges = source({ splitBytes: 30 })
        for (const split of await ranges.splits()) {
          const { entries, position } = await readFrom(await ranges.open(split, undefined), left)
          left -= entries.length
          if (entries.length > 0) positions.set(split.id, position)
        }
        for (const splitBytes of [30, 11, Number.POSITIVE_INFINITY]) {
          const found: number[] = []
          const inParts = source({ splitBytes })
          for (const { split, from } of await resumed(inParts, positions)) {
            const { entries } = await readFrom(await inParts.open(split, from))
            found.push(...entries.map(({ origin }) => origin.line))
          }
          const most = Math.max(whole, inRanges)
          deepEqual(
            found,
            Array.from({ length: 20 - most }, (_, n) => most + n + 1),
          )
        }
      }
    })

    it('names ranges so that they hold when the file grows, and leaves compressed files whole', async () => {
      await writeFile(path, 'x'.repeat(150))
      await writeFile(join(folder, 'y.gz'), gzipSync('a\n'))
      deepEqual(await fileSource(join(folder, '*'), lines, { splitBytes: 100 }).splits(), [
        { id: `${path}#0-100`, sizeBytes: 100 },
        { id: `${path}#100-200`, sizeBytes: 50 },
        { id: join(folder, 'y.gz'), sizeBytes: gzipSync('a\n').length },
      ])
    })
  })

  describe('of broken files', () => {
    it('gives no line of a compressed file with a wrong checksum in any member', async () => {
      const broken = gzipSync('line\n'.repeat(100_000))
      broken.writeUInt32LE(1, broken.length - 8)
      await writeFile(path, Buffer.concat([gzipSync('good\n'), broken]))
      const [split] = await source().splits()
      await rejects(source().open(split!, undefined), {
        code: 'SOURCE_CORRUPT',
        message: /^Cannot read ".*x\.log": incorrect data check after byte \d+ of the compressed file$/,
      })
    })

    it('S6: refuses a bomb before it has given a line', async () => {
      await writeFile(path, gzipSync(Buffer.alloc(50_000_000, 'a\n')))
      const [split] = await source().splits()
      await rejects(source().open(split!, undefined), { code: 'SOURCE_LIMIT' })
      await rejects(source({ maxTotalBytes: 1000, maxRatio: 1e6 }).open(split!, undefined), { code: 'SOURCE_LIMIT' })
    })

    it('says so when a file shrinks while it is read, and goes on saying so', async () => {
      await writeFile(path, 'line\n'.repeat(200_000))
      const [split] = await source().splits()
      const reader = await source().open(split!, undefined)
      equal((await readEntries(reader, 1))?.length, 1)
      await truncate(path, 10)
      const readAll = async () => {
        while ((await readEntries(reader, 1000)) !== undefined) {}
      }
      const shrunk = {
        code: 'POSITION_LOST',
        message: /^Cannot read on in ".*x\.log" from byte \d+: it shrank from 1000000/,
      }
      await rejects(readAll(), shrunk)
      throws(() => reader.read(1), shrunk)
      await reader.close()
    })

    it('names a file that is gone since it was listed, and a folder in its place', async () => {
      await writeFile(path, 'a\n')
      const [split] = await source().splits()
      await rm(path)
      await rejects(source().open(split!, undefined), { code: 'SOURCE_MISSING', details: { source: path } })
      await mkdir(path)
      await rejects(source().open(split!, undefined), {
        code: 'SOURCE_UNREADABLE',
        details: { source: path, offset: 0, errno: 'EISDIR' },
      })
    })

    it('does not wait for a pipe that is in the place of a file', async () => {
      execFileSync('mkfifo', [path])
      await rejects(source().open({ id: path }, undefined), { code: 'SOURCE_UNREADABLE', message: /it is a pipe/ })
    })
  })

  describe('on the way out', () => {
    it('leaves no descriptor open, however it ends', {
      skip: !existsSync('/proc/self/fd') && 'no /proc here',
    }, async () => {
      const openFiles = () => readdirSync('/proc/self/fd').length
      await writeFile(path, 'a\nb\n')
      await readOnly(source())
      const before = openFiles()
      const { position } = await readOnly(source())
      await readOnly(source(), position)
      await readOnly(source(), undefined, {}, 1)
      await source({ splitBytes: 1 }).splits()
      await writeFile(path, 'xx\n')
      await rejects(readOnly(source(), position), { code: 'POSITION_LOST' })
      await writeFile(path, gzipSync('a\n').subarray(0, 15))
      await rejects(readOnly(source()), { code: 'SOURCE_CORRUPT' })
      await writeFile(path, gzipSync('a\nb\nc\n'))
      await readOnly(source(), undefined, {}, 1)
      const failing: LineFormat<string> = {
        name: 'failing',
        open: () => {
          throw new Error('no such dialect')
        },
      }
      await rejects(readOnly(fileSource(path, failing)), { message: 'no such dialect' })
      equal(openFiles(), before)
    })

    it('stops with the reason of the signal', async () => {
      await writeFile(path, 'line\n'.repeat(200_000))
      const [split] = await source().splits()
      const aborter = new AbortController()
      const reader = await source().open(split!, undefined, { signal: aborter.signal })
      equal((await readEntries(reader, 1))?.length, 1)
      aborter.abort(new Error('enough'))
      const readAll = async () => {
        while ((await readEntries(reader, 1000)) !== undefined) {}
      }
      await rejects(readAll(), { message: 'enough' })
      await reader.close()
      await rejects(source().open(split!, undefined, { signal: aborter.signal }), { message: 'enough' })
    })
  })

  describe('of streams', () => {
    /** A program that reads standard input through the source and tells what it got. */
    const program = `
      import { recordsOf } from ${JSON.stringify(join(import.meta.dirname, '../batch.ts'))}
      import { fileSource } from ${JSON.stringify(join(import.meta.dirname, 'source.ts'))}
      const source = fileSource('-', { name: 'lines', open: () => (line) => line })
      const [split] = await source.splits()
      const from = JSON.parse(process.argv[1] ?? 'null') ?? undefined
      const reader = await source.open(split, from)
      const begun = reader.doneBytes
      const entries = []
      for (let batch = await reader.read(10); batch !== undefined; batch = await reader.read(10)) entries.push(...recordsOf(batch))
      console.log(JSON.stringify({ split, begun, entries, position: reader.position(), doneBytes: reader.doneBytes }))
      await reader.close()
    `
    const run = (input: Buffer | string, position?: Position) => {
      const args = ['--input-type=module', '-e', program, ...(position === undefined ? [] : [JSON.stringify(position)])]
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { input, encoding: 'utf8' })
      return { status, stderr, told: stdout === '' ? undefined : JSON.parse(stdout) }
    }

    it('reads standard input, plain and compressed', () => {
      for (const input of ['\ufeffa\n\nb', gzipSync('\ufeffa\n\nb'), zstdCompressSync('\ufeffa\n\nb')]) {
        const { status, stderr, told } = run(input)
        deepEqual([status, stderr], [0, ''])
        deepEqual(told.split, { id: 'stdin' })
        // What was looked at to open it is not what an earlier run had read.
        deepEqual([told.begun, told.doneBytes], [0, Buffer.from(input).length])
        deepEqual(
          told.entries.map((entry: SourceRecord<string>) => entry.origin),
          [
            { source: 'stdin', line: 1, offset: 0, raw: 'a' },
            { source: 'stdin', line: 3, offset: 6, raw: 'b' },
          ],
        )
      }
    })

    it('reads standard input that is empty', () => {
      deepEqual(run('').told.entries, [])
    })

    it('counts lines and offsets on in a later run, so that no two records share them', () => {
      const { told } = run('a\nb\n')
      deepEqual(
        run('c\n', told.position).told.entries.map((entry: SourceRecord<string>) => entry.origin),
        [{ source: 'stdin', line: 3, offset: 4, raw: 'c' }],
      )
    })

    it('fails at broken compressed input, by name', () => {
      const { status, stderr } = run(gzipSync('a\n').subarray(0, 15))
      equal(status, 1)
      match(stderr, /Cannot read "stdin": unexpected end of file/)
    })

    it('ends a wait for input when it is told to', async () => {
      const waiting = `
        import { fileSource } from ${JSON.stringify(join(import.meta.dirname, 'source.ts'))}
        const aborter = new AbortController()
        const opening = fileSource('-', { name: 'lines', open: () => (line) => line }).open({ id: 'stdin' }, undefined, aborter)
        aborter.abort(new Error('enough'))
        await opening.catch((error) => console.log(error.message))
      `
      const child = spawn(process.execPath, ['--input-type=module', '-e', waiting], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      const told = text(child.stdout)
      const [code] = await once(child, 'exit')
      child.stdin.destroy()
      deepEqual([code, await told], [0, 'enough\n'])
    })

    it('reads a pipe that is allowed', async () => {
      const pipe = join(folder, 'pipe')
      execFileSync('mkfifo', [pipe])
      const writing = writeFile(pipe, 'a\nb\n')
      deepEqual(textsOf(await readOnly(fileSource(pipe, lines, { allowSpecial: true }))), ['a', 'b'])
      await writing
    })
  })

  describe('described', () => {
    it('has a title for people and the columns of its format', () => {
      const columns = { line: 'text' } as const
      deepEqual(
        [
          fileSource(['a', 'b*.gz'], lines).title,
          fileSource('a', { ...lines, columns }).columns,
          'columns' in fileSource('a', lines),
        ],
        ['a, b*.gz as lines', columns, false],
      )
    })

    it('refuses options and input that it cannot use', () => {
      throws(() => fileSource('', lines), { code: 'CONFIG_INVALID' })
      throws(() => fileSource(' , ', lines), { code: 'CONFIG_INVALID' })
      throws(() => fileSource([], lines), { code: 'CONFIG_INVALID' })
      throws(() => fileSource(7 as never, lines), TypeError)
      throws(() => fileSource('a', lines, { maxRation: 3 } as never), /fileSource has no option maxRation/)
      throws(() => fileSource('a', lines, { maxLineBytes: 0 }), RangeError)
      throws(() => fileSource('a', lines, { splitBytes: 1.5 }), RangeError)
      throws(() => fileSource('a', lines, { maxRatio: Number.NaN }), RangeError)
    })
  })

  const dirty = join(import.meta.dirname, '../../../../shared/data/access-dirty/dirty.log.gz')

  it('reads dirty logs as their contract says', { skip: !existsSync(dirty) && 'the data is not here' }, async () => {
    const expected = JSON.parse(await readFile(join(dirty, '../expected.json'), 'utf8'))
    const { entries, counts } = await readOnly(fileSource(dirty, lines))
    equal(counts.read, expected.lines)
    equal(counts.blank, expected.verdicts.skip)
    equal(counts.read, entries.length + counts.blank)
    const content = gunzipSync(await readFile(dirty))
    for (const { origin } of entries) {
      const end = content.indexOf(10, origin.offset)
      const line = content.subarray(origin.offset, end === -1 ? content.length : end)
      const bytes = line.at(-1) === 13 ? line.subarray(0, -1) : line
      if (isUtf8(bytes)) equal(origin.raw, String(bytes).replace(/^\ufeff/, ''))
      else equal(origin.raw, escapeBytes(bytes))
    }
    const loadable = new Set(entries.filter((entry) => entry.kind === 'event').map((entry) => entry.origin.line))
    for (const [line, kind, verdict] of expected.mutated) {
      if (verdict === 'ok') ok(loadable.has(line), `line ${line}, ${kind}`)
    }
  })
})
