import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { fileSource, pipeline, type RunEvent, type RunReport, sqliteSink, startPipeline, textLines } from 'sluice'
import { readEntries } from '../../src/testing/conformance/reading.ts'

const root = mkdtempSync(join(tmpdir(), 'sluice-unreadable-'))
after(() => rmSync(root, { recursive: true, force: true }))
let turns = 0

interface Loaded {
  readonly report?: RunReport
  readonly failure?: Error & { readonly code?: string }
  readonly notes: readonly string[]
  readonly texts: readonly string[]
  readonly letters: readonly { readonly file: string; readonly reason: string }[]
}

class Place {
  readonly folder: string
  constructor() {
    turns += 1
    this.folder = join(root, `${turns}`)
    mkdirSync(this.folder)
    this.write('a.log', 'a1\na2\n')
    this.write('c.log', 'c1\n')
  }

  write(name: string, content: string | Buffer): string {
    const path = join(this.folder, name)
    writeFileSync(path, content)
    return path
  }

  async load(options: Parameters<typeof fileSource>[2] = {}, strict = false, onListed = () => {}): Promise<Loaded> {
    const db = join(this.folder, 'out.db')
    const notes: string[] = []
    const source = fileSource(join(this.folder, '[abc].log*'), textLines(), options)
    const job = pipeline('job', {
      from: () => ({
        ...source,
        splits: async (waiting) => {
          const splits = await source.splits(waiting)
          onListed()
          return splits
        },
      }),
      flow: (lines) => lines.map((text) => ({ text })),
      into: () => sqliteSink(db, { table: 't' }),
    })
    const onEvent = (event: RunEvent) => {
      if (event.kind === 'noted') notes.push(event.note)
    }
    let ended: Pick<Loaded, 'report' | 'failure'>
    try {
      const run = await startPipeline(job, { onEvent, strict })
      ended = { report: await run.done }
    } catch (thrown) {
      ended = { failure: thrown as Error }
    }
    const open = new DatabaseSync(db)
    const rows = (sql: string) => {
      try {
        return open.prepare(sql).all()
      } catch {
        return []
      }
    }
    const texts = rows('select text from t order by text').map(({ text }) => `${text}`)
    const letters = rows('select file, reason from dead_letters').map((one) => ({ ...one })) as never
    open.close()
    return { ...ended, notes, texts, letters }
  }
}

const all = ['a1', 'a2', 'c1']

describe('files that cannot be read', () => {
  it('F48: passes over a link to nothing that a glob matches, and says so', async () => {
    const place = new Place()
    symlinkSync('gone/0.log', join(place.folder, 'b.log'))
    const { report, notes, texts } = await place.load()
    deepEqual([report?.run.loaded, report?.run.dead, texts], [3, 0, all])
    match(notes.join('\n'), /b\.log" is skipped: it is a broken link, or gone since it was listed/)
  })

  it('F48: passes over a file that is gone between listing and opening, and reads it when it is back', async () => {
    const place = new Place()
    const path = place.write('b.log', 'b1\n')
    const { report, notes, texts } = await place.load({}, false, () => rmSync(path, { force: true }))
    deepEqual([report?.run.dead, texts], [0, all])
    match(notes.join('\n'), /b\.log" is gone since it was listed: it is skipped/)
    place.write('b.log', 'b1\n')
    deepEqual((await place.load()).texts, ['a1', 'a2', 'b1', 'c1'])
  })

  it('F48: still fails where what is named is not there', async () => {
    const place = new Place()
    const named = pipeline('named', {
      from: () => fileSource(join(place.folder, 'b.log'), textLines()),
      flow: (lines) => lines.map((text) => ({ text })),
      into: () => sqliteSink(join(place.folder, 'named.db'), { table: 't' }),
    })
    const failure = await startPipeline(named, {}).then(
      () => undefined,
      (thrown: { code?: string }) => thrown,
    )
    equal(failure?.code, 'SOURCE_MISSING')
  })

  const gz = gzipSync('b1\nb2\n'.repeat(50_000))
  for (const [what, bytes, code] of [
    ['a damaged file', gz.subarray(0, gz.length - 20), 'SOURCE_CORRUPT'],
    ['an archive', Buffer.from('504b030414000000', 'hex'), 'SOURCE_CORRUPT'],
    ['a bomb', zstdCompressSync(Buffer.alloc(64 * 1024 * 1024)), 'SOURCE_LIMIT'],
  ] as const) {
    it(`F49: ${what} ends the run, with the option that goes on, and is a dead letter with it`, async () => {
      const place = new Place()
      const path = place.write('b.log.x', bytes)
      const { failure } = await place.load()
      equal(failure?.code, code)
      match(failure?.message ?? '', /b\.log\.x".*\(unreadable: 'skip' continues with the other files\)$/)
      const { report, texts, letters, notes } = await place.load({ unreadable: 'skip' })
      deepEqual([report?.run.dead, texts], [1, all])
      deepEqual([letters.length, letters[0]?.file], [1, path])
      match(letters[0]?.reason ?? '', /^Cannot read ".*b\.log\.x"/)
      match(notes.join('\n'), /it is skipped, and will be tried in the next run/)
      equal((await place.load({ unreadable: 'skip' })).report?.run.dead, 1)
      place.write('b.log.x', gzipSync('b1\n'))
      const mended = await place.load({ unreadable: 'skip' })
      deepEqual([mended.report?.run.loaded, mended.texts], [1, ['a1', 'a2', 'b1', 'c1']])
    })
  }

  it('F49: a file without permission is a dead letter, and ends a strict run', {
    skip: process.getuid?.() === 0 && 'root may read everything',
  }, async () => {
    const place = new Place()
    chmodSync(place.write('b.log', 'b1\n'), 0)
    equal((await place.load()).failure?.code, 'SOURCE_UNREADABLE')
    const { report, texts } = await place.load({ unreadable: 'skip' })
    deepEqual([report?.run.dead, texts], [1, all])
    chmodSync(join(place.folder, 'b.log'), 0o600)
    deepEqual((await place.load({ unreadable: 'skip' })).texts, ['a1', 'a2', 'b1', 'c1'])
  })

  it('F49: a file that is passed over ends a strict run', async () => {
    const place = new Place()
    place.write('b.log', Buffer.from('504b030414000000', 'hex'))
    equal((await place.load({ unreadable: 'skip' }, true)).failure?.code, 'TOO_MANY_DEAD_LETTERS')
  })

  it('F49: a log of health checks is within the limits, by zstd as by gzip', async () => {
    const place = new Place()
    // Five probes a second.
    const at = (n: number) => new Date(1_431_849_903_000 + Math.floor(n / 5) * 1000).toISOString().slice(11, 19)
    const line = (n: number) =>
      `10.0.0.1 - - [17/May/2015:${at(n)} +0000] "GET /health HTTP/1.1" 200 2 "-" "probe/1.0"\n`
    const lines = Array.from({ length: 240_000 }, (_, n) => line(n)).join('')
    ok(lines.length > 17 * 1024 * 1024)
    const stored = zstdCompressSync(Buffer.from(lines), { params: { [constants.ZSTD_c_compressionLevel]: 19 } })
    ok(lines.length / stored.length > 200, 'it is one that shrinks well')
    const path = place.write('b.log.zst', stored)
    const source = fileSource(path, textLines())
    const [split] = await source.splits()
    const reader = await source.open(split as never, undefined)
    equal((await readEntries(reader, 1))?.length, 1)
    await reader.close()
  })
})
