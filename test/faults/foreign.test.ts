import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { accessLog, csvSource, fileSource, jsonArraySource, lines, ndjsonSource, type Source } from 'sluice'
import { readEntries } from '../../src/testing/conformance/reading.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { sluice } from '../support/cli.ts'
import { times } from '../support/seed.ts'

const folder = tempFolder('sluice-foreign-')

const text = 'id,name\n1,ann\n2,bob\n'.repeat(100)
const hex = (bytes: string, rest = '') =>
  Buffer.concat([Buffer.from(bytes, 'hex'), Buffer.from(rest || text, 'latin1')])

/** A tar archive of one file. */
function tarOf(content: Buffer): Buffer {
  const header = Buffer.alloc(512)
  header.write('data.csv')
  header.write('0000644\0', 100)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\0', 257)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, content, Buffer.alloc(1024)])
}

/** A zip archive of one file, stored as it is. */
function zipOf(content: Buffer): Buffer {
  const header = Buffer.from('504b0304140000000000000000000000000000000000000000000800000064617461', 'hex')
  return Buffer.concat([header, Buffer.from('.csv'), content])
}

function sqliteFile(): Buffer {
  const db = new DatabaseSync(':memory:')
  db.exec('create table t (id)')
  const bytes = Buffer.from(db.prepare("select 'SQLite format 3' || char(0) as head").get()?.head as string)
  db.close()
  return Buffer.concat([bytes, Buffer.alloc(4096)])
}

const kinds: Readonly<Record<string, Buffer>> = {
  'a zip archive': hex('504b030414000000'),
  'xz data': hex('fd377a585a000004'),
  'bzip2 data': hex('425a6839314159265359'),
  'data of compress (.Z)': hex('1f9d90'),
  'zlib data': deflateSync(text),
  'lz4 data': hex('04224d186440'),
  'a 7z archive': hex('377abcaf271c0004'),
  'a rar archive': hex('526172211a0700'),
  'a tar archive': tarOf(Buffer.from(text)),
  'an Avro file': hex('4f626a0104'),
  'a Parquet file': hex('504152311504'),
  'a SQLite database': sqliteFile(),
  'gzip data inside other compressed data': gzipSync(gzipSync(text)),
  'zstd data inside other compressed data': gzipSync(zstdCompressSync(Buffer.from(text))),
  'a tar archive, in gzip': gzipSync(tarOf(Buffer.from(text))),
  'a zip archive, in zstd': zstdCompressSync(hex('504b030414000000')),
  'UTF-16': Buffer.from(`\ufeff${text}`, 'utf16le'),
  'UTF-16, in gzip': gzipSync(Buffer.from(`\ufeff${text}`, 'utf16le')),
}

const sources: Readonly<Record<string, (path: string) => Source<unknown>>> = {
  csv: (path) => csvSource(path),
  'csv without header': (path) => csvSource(path, { header: false }),
  ndjson: (path) => ndjsonSource(path),
  jsonArray: (path) => jsonArraySource(path),
  lines: (path) => lines(path),
  'access log': (path) => fileSource(path, accessLog()),
  'csv in ranges': (path) => csvSource(path, { quotedNewlines: false, splitBytes: 1000 }),
}

async function readAll(source: Source<unknown>): Promise<unknown[]> {
  const entries: unknown[] = []
  for (const split of await source.splits()) {
    const reader = await source.open(split, undefined)
    for (let some = await readEntries(reader, 100); some !== undefined; some = await readEntries(reader, 100))
      entries.push(...some)
    await reader.close()
  }
  return entries
}

describe('what is not text', () => {
  for (const [kind, bytes] of Object.entries(kinds)) {
    it(`F46: ${kind} is refused by every source of files, whatever its name`, async () => {
      const path = join(folder, 'data.csv')
      writeFileSync(path, bytes)
      const name = kind.replace(/, in .*/, '')
      for (const [source, of] of Object.entries(sources)) {
        const failure = await readAll(of(path)).then(
          () => undefined,
          (thrown: Error & { code?: string }) => thrown,
        )
        equal(failure?.code, 'SOURCE_CORRUPT', source)
        ok(failure?.message.includes(name), `${source}: ${failure?.message}`)
      }
    })
  }

  it('F46: archives and compressed data are refused in any nesting, and what is compressed once is read', async () => {
    const wraps = { gzip: gzipSync, zstd: zstdCompressSync, tar: tarOf, zip: zipOf } as const
    const nestings = fc.array(fc.constantFrom(...(Object.keys(wraps) as (keyof typeof wraps)[])), { maxLength: 5 })
    const path = join(folder, 'nested.csv')
    await fc.assert(
      fc.asyncProperty(nestings, fc.constantFrom(...Object.keys(sources)), async (nesting, source) => {
        writeFileSync(
          path,
          nesting.reduce<Buffer>((inner, kind) => wraps[kind](inner), Buffer.from(text)),
        )
        const isRead = nesting.length === 0 || (nesting.length === 1 && /gzip|zstd/.test(nesting[0] ?? ''))
        const found = await readAll((sources[source] as (path: string) => Source<unknown>)(path)).then(
          () => 'read',
          (thrown: Error & { code?: string }) => `${thrown.code}: ${thrown.message}`,
        )
        // Text that is no JSON array is said to be none.
        if (isRead && source !== 'jsonArray') equal(found, 'read', nesting.join(' in '))
        else if (!isRead) match(found, /^SOURCE_CORRUPT: .*: unpack it first/, `${source}: ${nesting.join(' in ')}`)
      }),
      { numRuns: times(60) },
    )
  })

  it('F46: a text that begins like one of them is still text', async () => {
    const path = join(folder, 'text.csv')
    for (const head of [
      'PK',
      'PK,name',
      'BZh9,a',
      'PAR1,a',
      'Rar!,a',
      'Obj,a',
      'ustar',
      '7z,b',
      'SQLite format 3,x',
      'x^2',
      'xڈ',
      'LZIP',
    ]) {
      writeFileSync(path, `${head}\n1\n`)
      equal((await readAll(lines(path))).length, 2, head)
    }
  })

  it('F46: ends a run with 66, by file and on standard input, with the kind and what to do, and loads nothing', async () => {
    const path = join(folder, 'job.csv')
    writeFileSync(path, kinds['a zip archive'] as Buffer)
    const db = join(folder, 'out.db')
    const job = join(import.meta.dirname, '..', 'jobs', 'foreign.ts')
    const { code, stderr } = await sluice(['run', job, '--param', `input=${path}`, '--param', `db=${db}`])
    equal(code, 66)
    match(stderr, /Cannot read ".*job\.csv": it is a zip archive: unpack it first/)
    if (existsSync(db)) {
      const open = new DatabaseSync(db, { readOnly: true })
      deepEqual(open.prepare("select name from sqlite_schema where name in ('t')").all(), [])
      open.close()
    }
    const piped = sluice(['run', job, '--param', 'input=-', '--param', `db=${db}`], {
      stdin: 'pipe',
      onStart: (child) => child.stdin?.end(kinds['xz data']),
    })
    const outcome = await piped
    equal(outcome.code, 66, outcome.stderr)
    match(outcome.stderr, /it is xz data: unpack it first/)
  })
})
