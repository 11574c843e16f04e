// Files that a later run finds under another name, in other parts, or beside others: with real loads into a table
// without a key, where what is read twice is there twice.

import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  accessLog,
  csvSource,
  type FileSourceOptions,
  fileSource,
  flow,
  jsonArraySource,
  ndjsonSource,
  type ParquetSourceOptions,
  parquetSink,
  parquetSource,
  pipeline,
  type RunReport,
  type Source,
  sqliteSink,
  startPipeline,
  tailSource,
  textLines,
  valuesSource,
} from 'sluice'
import { until } from './support/until.ts'

let folder = ''
let database = ''

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-known-')))
  database = join(folder, 'out.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)

interface LoadOptions {
  /** Ends the run at the so manyth commit, as a kill would. */
  readonly commits?: number
  readonly epochEvents?: number
  /** Where what the run notes is kept. */
  readonly notes?: string[]
}

/** Loads what a source gives, as JSON, into a table without a key. */
async function load(
  source: Source<unknown>,
  { commits, epochEvents = 100, notes }: LoadOptions = {},
): Promise<RunReport> {
  const job = pipeline('known', {
    from: () => source,
    flow: (events) => events.map((event) => ({ text: JSON.stringify(event) })),
    into: () => sqliteSink(database, { table: 'rows', columns: { text: 'text' } }),
  })
  const abort = new AbortController()
  let committed = 0
  const run = await startPipeline(job, {
    epochEvents,
    signal: abort.signal,
    onEvent: (event) => {
      if (event.kind === 'noted') notes?.push(event.note)
      if (event.kind !== 'committed') return
      committed += 1
      if (committed === commits) abort.abort(new Error('cut short'))
    },
  })
  const report = await run.done
  // A record that was read twice under one name is one row, and two that were loaded.
  equal(report.overall.loaded, rows().length)
  return report
}

async function cutShort(source: Source<unknown>, commits: number): Promise<void> {
  await rejects(load(source, { commits }), /cut short/)
}

function rows(): string[] {
  return query('select text from rows order by text').map(({ text }) => String(text))
}

function query(sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(database)
  try {
    return db.prepare(sql).all() as Record<string, unknown>[]
  } finally {
    db.close()
  }
}

const FORMATS: Readonly<Record<string, (input: string) => Source<unknown>>> = {
  text: (input) => fileSource(input, textLines()),
  ndjson: (input) => ndjsonSource(input),
  csv: (input) => csvSource(input),
  jsonArray: (input) => jsonArraySource(input),
  accessLog: (input) => fileSource(input, accessLog()),
  'text in ranges': (input) => fileSource(input, textLines(), { splitBytes: 7 }),
}
const RECORD: Readonly<Record<string, (n: number) => string>> = {
  ndjson: (n) => `{"n":${n}}`,
  accessLog: (n) => `10.0.0.${n} - - [10/Oct/2025:13:55:36 +0000] "GET /${n} HTTP/1.1" 200 5`,
}

/** A file of a few records in a format. */
function contentOf(format: string, count = 3): string {
  const record = RECORD[format] ?? ((n: number) => `${n}`)
  const records = Array.from({ length: count }, (_, n) => record(n))
  if (format === 'jsonArray') return `[${records.join(',')}]`
  return `${format === 'csv' ? 'n\n' : ''}${records.join('\n')}\n`
}

describe('a file under another name', () => {
  for (const format of Object.keys(FORMATS)) {
    it(`C92: is loaded once when a hard link comes, before its name and after it (${format})`, async () => {
      const make = FORMATS[format] as (input: string) => Source<unknown>
      writeFileSync(at('m.log'), contentOf(format))
      await load(make(at('*.log')))
      equal(rows().length, 3)
      for (const link of ['z.log', 'a.log']) {
        linkSync(at('m.log'), at(link))
        const { run, splits } = await load(make(at('*.log')))
        deepEqual([run.read, splits.unchanged === splits.all, rows().length], [0, true, 3])
      }
      if (format === 'jsonArray') return
      appendFileSync(at('z.log'), contentOf(format, 4).split('\n').slice(-2).join('\n'))
      // By any of its names, and by all of them.
      for (const names of ['z.log', 'a.log', '*.log', 'm.log']) {
        await load(make(at(names)))
        equal(rows().length, 4, names)
      }
    })
  }

  for (const [name, pack] of [
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    it(`C92: is loaded once when it is compressed, too (${name})`, async () => {
      writeFileSync(at('m.log'), pack('x\ny\n'))
      await load(fileSource(at('*.log'), textLines()))
      linkSync(at('m.log'), at('a.log'))
      await load(fileSource(at('*.log'), textLines()))
      mkdirSync(at('other'))
      linkSync(at('m.log'), at('other/z.log'))
      await load(fileSource(at('other/*'), textLines()))
      renameSync(at('other/z.log'), at('other/y.log'))
      await load(fileSource(at('{.,other}/*.log'), textLines()))
      equal(rows().length, 2)
    })
  }

  it('C92: is loaded once by way of symbolic links to it and to its folder', async () => {
    mkdirSync(at('logs'))
    writeFileSync(at('logs/a.log'), 'x\ny\n')
    await load(fileSource(at('logs/*.log'), textLines()))
    symlinkSync(at('logs'), at('link'))
    symlinkSync(at('logs/a.log'), at('logs/b.log'))
    for (const names of ['link/*.log', 'logs/b.log', 'l*/*.log']) await load(fileSource(at(names), textLines()))
    equal(rows().length, 2)
  })

  it('C92: goes on where it was read to when its run was cut short and it was renamed', async () => {
    writeFileSync(at('a.log'), 'line\n'.repeat(20_000))
    const lines = (names: string, splitBytes = Number.POSITIVE_INFINITY) =>
      fileSource(at(names), textLines(), { splitBytes })
    await cutShort(lines('*.log', 15_000), 3)
    ok(rows().length < 20_000)
    renameSync(at('a.log'), at('b.log'))
    await cutShort(lines('*.log'), 3)
    renameSync(at('b.log'), at('c.log'))
    linkSync(at('c.log'), at('0.log'))
    await load(lines('*.log', 7000))
    equal(rows().length, 20_000)
  })

  it('C92: goes on as a further source of a flow', async () => {
    writeFileSync(at('main.log'), 'm\n')
    writeFileSync(at('a.txt'), 'x\n')
    const run = async (): Promise<void> => {
      const job = pipeline('merged', {
        from: () => fileSource(at('main.log'), textLines()),
        flow: (events) => events.merge(flow(fileSource(at('*.txt'), textLines()))).map((text) => ({ text })),
        into: () => sqliteSink(database, { table: 'rows', columns: { text: 'text' } }),
      })
      await (await startPipeline(job)).done
    }
    await run()
    linkSync(at('a.txt'), at('b.txt'))
    appendFileSync(at('a.txt'), 'y\n')
    await run()
    deepEqual(rows(), ['m', 'x', 'y'])
  })
})

describe('a file under the name of another', () => {
  it('C92: is refused, whatever it begins with: their records could not be told apart', async () => {
    for (const splitBytes of [4, Number.POSITIVE_INFINITY]) {
      rmSync(database, { force: true })
      const logs = () => fileSource(at('a.log*'), textLines(), { splitBytes })
      writeFileSync(at('a.log'), 'x 1\nx 2\n')
      await load(logs())
      renameSync(at('a.log'), at('a.log.1'))
      await load(logs())
      equal(rows().length, 2)
      writeFileSync(at('a.log'), 'x 1\nx 2\nx 3\n')
      await rejects(load(logs()), {
        code: 'POSITION_LOST',
        message: `Cannot resume "${at('a.log')}" from byte ${splitBytes === 4 ? 4 : 8}: it is another file, the one that was read is now "${at('a.log.1')}": tailSource() follows files that are rotated`,
      })
      rmSync(at('a.log'))
      await load(logs())
      equal(rows().length, 2)
      rmSync(at('a.log.1'))
    }
  })

  it('C92: is refused where both were read, under their old names', async () => {
    writeFileSync(at('a.log'), 'a\n')
    writeFileSync(at('b.log'), 'b\n')
    await load(fileSource(at('*.log'), textLines()))
    renameSync(at('b.log'), at('old'))
    renameSync(at('a.log'), at('b.log'))
    appendFileSync(at('b.log'), 'c\n')
    await rejects(load(fileSource(at('b.log'), textLines())), { code: 'POSITION_LOST' })
  })

  it('C92: is refused where the other is gone', async () => {
    writeFileSync(at('a.log'), 'x\n')
    await load(fileSource(at('a.log'), textLines()))
    renameSync(at('a.log'), at('b.log'))
    writeFileSync(at('a.log'), 'y\n')
    await rejects(load(fileSource(at('a.log'), textLines())), { code: 'POSITION_LOST' })
  })
})

describe('another file', () => {
  it('C92: is read though it has the inode that a file had which is gone', async (t) => {
    writeFileSync(at('a.log'), 'x\n')
    const { ino } = statSync(at('a.log'))
    await load(fileSource(at('*.log'), textLines()))
    rmSync(at('a.log'))
    writeFileSync(at('b.log'), 'x\ny\n')
    if (statSync(at('b.log')).ino !== ino) return t.skip('this file system gives no inode again at once')
    await load(fileSource(at('*.log'), textLines()))
    deepEqual(rows(), ['"x"', '"x"', '"y"'])
  })

  it('C92: is a copy, which is read', async () => {
    writeFileSync(at('a.log'), 'x\ny\n')
    await load(fileSource(at('*.log'), textLines()))
    copyFileSync(at('a.log'), at('b.log'))
    await load(fileSource(at('*.log'), textLines()))
    equal(rows().length, 4)
  })

  it('C92: is one whose name looks like that of a part', async () => {
    for (const splitBytes of [4, Number.POSITIVE_INFINITY]) {
      rmSync(database, { force: true })
      writeFileSync(at('a'), '1\n2\n3\n')
      writeFileSync(at('a#0-4'), '4\n5\n6\n')
      for (const other of [4, 5, Number.POSITIVE_INFINITY, splitBytes]) {
        await load(fileSource([at('a'), at('a#0-4')], textLines(), { splitBytes: other }))
        equal(rows().length, 6)
      }
    }
  })
})

describe('a file that was restored', () => {
  it('C92: goes on under its name, as often as it is restored, in whatever parts', async () => {
    writeFileSync(at('a.log'), '1\n2\n3\n')
    const bytes = [4, 4, 3, Number.POSITIVE_INFINITY, 5]
    for (const [n, splitBytes] of bytes.entries()) {
      await load(fileSource(at('*.log'), textLines(), { splitBytes }))
      copyFileSync(at('a.log'), at('saved'))
      rmSync(at('a.log'))
      renameSync(at('saved'), at('a.log'))
      if (n % 2 === 0) appendFileSync(at('a.log'), `${n}\n`)
    }
    await load(fileSource(at('*.log'), textLines()))
    deepEqual(rows().length, 6)
  })
})

describe('positions of earlier versions', () => {
  /** Takes out of every position when its file was made. */
  function forgetBirths(): void {
    query(`update sluice_positions set position = json_remove(position, '$.born')`)
  }

  it('C92: know a file that has another name as well', async () => {
    writeFileSync(at('m.log'), 'x\n')
    await load(fileSource(at('*.log'), textLines()))
    forgetBirths()
    linkSync(at('m.log'), at('a.log'))
    for (const names of ['*.log', 'a.log']) await load(fileSource(at(names), textLines()))
    deepEqual(rows(), ['"x"'])
  })

  it('C92: of one file under two names are taken for what they have read together', async () => {
    writeFileSync(at('m.log'), '1\n')
    await load(fileSource(at('m.log'), textLines()))
    linkSync(at('m.log'), at('z.log'))
    // As if the link had been read as a file of its own.
    query(
      `insert into sluice_positions select pipeline, replace(split, 'm.log', 'z.log'), position from sluice_positions`,
    )
    query('update sluice_checkpoints set splits = 2')
    forgetBirths()
    appendFileSync(at('m.log'), '2\n')
    await load(fileSource(at('z.log'), textLines()))
    appendFileSync(at('m.log'), '3\n')
    for (const names of ['*.log', 'm.log', 'z.log']) await load(fileSource(at(names), textLines()))
    deepEqual(rows(), ['"1"', '"2"', '"3"'])
  })
})

describe('a folder that was moved', () => {
  const FAR = 'a line that is long enough to be told from others, by itself\n'
  /** Copies a folder, as a checkout or another machine has it: other paths, other inodes. */
  function copyFolder(from: string, to: string): void {
    cpSync(at(from), at(to), { recursive: true })
  }
  const logs = (of: string, options: FileSourceOptions = {}): Source<unknown> =>
    fileSource(at(`${of}/**/*.log`), textLines(), options)

  beforeEach(() => {
    mkdirSync(at('old/deep'), { recursive: true })
    for (const name of ['a.log', 'b.log', 'deep/c.log']) writeFileSync(at(`old/${name}`), `${name} ${FAR}`.repeat(3))
  })

  for (const format of Object.keys(FORMATS)) {
    it(`C95: is loaded once (${format})`, async () => {
      const make = FORMATS[format] as (input: string) => Source<unknown>
      for (const name of ['x.dat', 'y.dat']) writeFileSync(at(`old/${name}`), contentOf(format, 40))
      await load(make(at('old/*.dat')))
      equal(rows().length, 80)
      copyFolder('old', 'new')
      rmSync(at('old'), { recursive: true })
      const { run } = await load(make(at('new/*.dat')))
      deepEqual([run.read, rows().length], [0, 80])
    })
  }

  it('C95: goes on where its files were read to, with what they have grown by, and new ones', async () => {
    await load(logs('old'))
    copyFolder('old', 'new')
    rmSync(at('old'), { recursive: true })
    appendFileSync(at('new/deep/c.log'), 'grown\n')
    writeFileSync(at('new/d.log'), 'new\n')
    const notes: string[] = []
    await load(logs('new'), { notes })
    deepEqual(
      rows().filter((row) => !row.includes('long enough')),
      ['"grown"', '"new"'],
    )
    deepEqual(notes, [
      `found what was read in "${at('old')}" in 3 files in "${at('new')}": reading continues where it was`,
    ])
    // And once more, in other parts.
    copyFolder('new', 'newer')
    rmSync(at('new'), { recursive: true })
    appendFileSync(at('newer/a.log'), 'again\n')
    await load(logs('newer', { splitBytes: 50 }))
    equal(rows().length, 12)
  })

  it('C95: goes on when its run was cut short', async () => {
    writeFileSync(at('old/a.log'), 'line\n'.repeat(20_000))
    await cutShort(logs('old'), 3)
    const read = rows().length
    ok(read > 0 && read < 20_000)
    copyFolder('old', 'new')
    rmSync(at('old'), { recursive: true })
    await load(logs('new'))
    equal(rows().length, 20_006)
  })

  it('C95: is refused while its files are still there, until it is said what the others are', async () => {
    await load(logs('old'))
    copyFolder('old', 'new')
    await rejects(load(logs('new')), {
      code: 'POSITION_LOST',
      message: new RegExp(
        `^Cannot resume "${at('new/a.log')}" from byte \\d+: it holds what was read as "${at('old/a.log')}", which is still there: set copies: 'skip' if it is a copy of that file, or copies: 'load' to load it as another file$`,
      ),
    })
    equal(rows().length, 9)
    await load(logs('new', { copies: 'skip' }))
    equal(rows().length, 9)
    copyFolder('old', 'other')
    await load(logs('other', { copies: 'load' }))
    equal(rows().length, 18)
    for (const name of ['old', 'other']) await load(logs(name))
    await load(logs('new', { copies: 'skip' }))
    equal(rows().length, 18)
  })

  it('C95: is another one where a file of the same name holds something else, and a note says so', async () => {
    await load(logs('old'))
    copyFolder('old', 'new')
    rmSync(at('old'), { recursive: true })
    writeFileSync(at('new/b.log'), `other ${FAR}`)
    const notes: string[] = []
    await load(logs('new'), { notes })
    equal(rows().length, 9 + 7)
    match(
      notes[0] ?? '',
      /^found what was read in ".*old" in 2 files in ".*new", but 1 of the same names do not hold it: all are read as other/,
    )
  })

  it('C95: is another one where it has a file in common and most others are not', async () => {
    const notes: string[] = []
    for (const day of ['monday', 'tuesday', 'wednesday']) {
      mkdirSync(at(day))
      for (const name of [`orders-${day}`, `returns-${day}`, 'countries']) {
        writeFileSync(at(`${day}/${name}.log`), `${name} ${FAR}`)
      }
      await load(fileSource(at(`${day}/*.log`), textLines()), { notes })
      if (day === 'tuesday') rmSync(at(day), { recursive: true })
    }
    equal(rows().length, 9)
    match(notes[0] ?? '', /in a file in ".*tuesday", but most files of either folder have other names: all are read/)
  })

  it('C95: is the same where most of its files were deleted since, or most are new', async () => {
    await load(logs('old'))
    copyFolder('old', 'pruned')
    rmSync(at('old'), { recursive: true })
    for (const name of ['a.log', 'b.log']) rmSync(at(`pruned/${name}`))
    await load(logs('pruned'))
    equal(rows().length, 9)
  })

  it('C95: is no folder below the glob, where other files may have the same names and content', async () => {
    for (const [day, count] of [
      ['dt=1', 3],
      ['dt=2', 6],
    ] as const) {
      mkdirSync(at(`lake/${day}`), { recursive: true })
      writeFileSync(at(`lake/${day}/part-0.log`), FAR.repeat(3))
      await load(fileSource(at('lake/dt=*/*.log'), textLines()))
      equal(rows().length, count)
      rmSync(at(`lake/${day}`), { recursive: true })
    }
  })

  it('C95: is not told by so few bytes that other files may begin so', async () => {
    mkdirSync(at('monday'))
    writeFileSync(at('monday/status.log'), 'ok\n')
    await load(fileSource(at('monday/*.log'), textLines()))
    renameSync(at('monday/status.log'), at('gone'))
    mkdirSync(at('tuesday'))
    writeFileSync(at('tuesday/status.log'), 'ok\n')
    await load(fileSource(at('tuesday/*.log'), textLines()))
    deepEqual(rows(), ['"ok"', '"ok"'])
  })

  it('C95: goes on where its files are compressed, and refuses one that has changed', async () => {
    for (const name of ['a', 'b']) writeFileSync(at(`old/${name}.gz`), gzipSync(`${name} ${FAR}`.repeat(3)))
    const packed = (of: string): Source<unknown> => fileSource(at(`${of}/*.gz`), textLines())
    await load(packed('old'))
    copyFolder('old', 'new')
    rmSync(at('old'), { recursive: true })
    await load(packed('new'))
    equal(rows().length, 6)
  })

  it('C95: goes on where its files are Parquet', async () => {
    const job = pipeline('written', {
      from: () => valuesSource(Array.from({ length: 30 }, (_, n) => ({ n }))),
      into: () => parquetSink<{ n: number }>(at('old/parquet')),
    })
    await (await startPipeline(job)).done
    const read = (of: string, options: ParquetSourceOptions = {}) =>
      parquetSource(at(`${of}/parquet/*.parquet`), options)
    await load(read('old'))
    equal(rows().length, 30)
    copyFolder('old', 'new')
    await rejects(load(read('new')), { code: 'POSITION_LOST', message: /which is still there: set copies/ })
    rmSync(at('old'), { recursive: true })
    await load(read('new'))
    equal(rows().length, 30)
    copyFolder('new', 'other')
    await load(read('other', { copies: 'load' }))
    equal(rows().length, 60)
  })

  it('C95: goes on where it is followed by a tail', async () => {
    const follow = async (of: string, wanted: number): Promise<void> => {
      const job = pipeline('followed', {
        from: () => tailSource(at(`${of}/*.log`), textLines(), { pollMs: 10 }),
        flow: (lines) => lines.map((text) => ({ text })),
        into: () => sqliteSink(database, { table: 'rows', columns: { text: 'text' } }),
      })
      const run = await startPipeline(job, { epochMs: 10 })
      await until(() => run.progress().committed.loaded >= wanted, 'all lines')
      await run.drain('enough')
    }
    await follow('old', 6)
    copyFolder('old', 'new')
    rmSync(at('old'), { recursive: true })
    appendFileSync(at('new/a.log'), 'grown\n')
    await follow('new', 7)
    equal(rows().length, 7)
  })
})
