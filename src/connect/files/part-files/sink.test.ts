import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type ErrorCode, isSluiceError } from '../../../base/errors.ts'
import { type Batch, batchOf } from '../../batch.ts'
import type { Checkpoint, Sink, SinkOptions, SinkWriter } from '../../sink.ts'
import { NO_TOTALS } from '../../totals.ts'
import { csvSink } from './csv.ts'
import { ndjsonSink } from './ndjson.ts'
import { parquetSink } from './parquet.ts'

let root = ''
let folder = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-files-'))
  folder = join(root, 'out')
})
afterEach(() => rmSync(root, { recursive: true }))

function checkpoint(epoch: number): Checkpoint {
  return { epoch, positions: new Map([['a', epoch]]), states: new Map(), totals: { ...NO_TOTALS, read: epoch } }
}

const events = <T>(...values: T[]): Batch<T> =>
  batchOf(values, { at: (offset) => ({ source: 'test', line: 0, offset, raw: '' }) })

const failsWith =
  (code: ErrorCode, message = /./) =>
  (error: unknown) => {
    ok(isSluiceError(error, code), String(error))
    match(error.message, message)
    return true
  }

/** Opens, writes the rows of each epoch, commits, closes. */
async function load<T>(sink: Sink<T>, epochs: T[][], options: Partial<SinkOptions> = {}): Promise<string[]> {
  const writer = await sink.open({ pipeline: 'job', ...options })
  const reasons: string[] = []
  let epoch = writer.checkpoint?.epoch ?? 0
  try {
    for (const rows of epochs) {
      const letters = await writer.write(events(...rows))
      reasons.push(...letters.map(({ reason }) => reason))
      epoch += 1
      await writer.commit(checkpoint(epoch))
    }
  } finally {
    await writer.close()
  }
  return reasons
}

const seen = (): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('.sluice') && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()

const text = (name: string): string => readFileSync(join(folder, name), 'utf8')

describe('ndjsonSink', () => {
  it('writes a file for each epoch, and names it on the manifest', async () => {
    await load(ndjsonSink(folder), [[{ a: 1 }, { a: 2 }], [{ a: 3 }]])
    deepEqual(seen(), ['_manifest-job-00000001.json', 'job-00000001-0001.ndjson', 'job-00000002-0001.ndjson'])
    equal(text('job-00000001-0001.ndjson'), '{"a":1}\n{"a":2}\n')
    deepEqual(JSON.parse(text('_manifest-job-00000001.json')), {
      version: 1,
      pipeline: 'job',
      parts: [
        { path: 'job-00000001-0001.ndjson', epoch: 1, rows: 2, bytes: 16 },
        { path: 'job-00000002-0001.ndjson', epoch: 2, rows: 1, bytes: 8 },
      ],
    })
  })

  it('takes any value that JSON has', async () => {
    deepEqual(await load(ndjsonSink<unknown>(folder), [['a', 1, null, [2], 10n ** 20n]]), [])
    equal(text('job-00000001-0001.ndjson'), '"a"\n1\nnull\n[2]\n100000000000000000000\n')
  })

  it('writes no file for an epoch without rows, or with refused ones only', async () => {
    const reasons = await load(ndjsonSink<unknown>(folder), [[], [Number.NaN], [() => 1]])
    deepEqual(reasons, ['JSON has no form for NaN', 'JSON has no form for function (unnamed)'])
    deepEqual(seen(), [])
  })

  it('refuses a promise that nobody waited for', async () => {
    const reasons = await load(ndjsonSink<unknown>(folder), [[Promise.resolve(1)]])
    deepEqual(reasons, ['a row is not a promise: the step before did not wait for it'])
  })

  it('ends a part at so many rows', async () => {
    await load(ndjsonSink(folder, { roll: { rows: 2 } }), [[1, 2, 3, 4, 5], [6]])
    deepEqual(
      seen()
        .slice(1)
        .map((name) => text(name)),
      ['1\n2\n', '3\n4\n', '5\n', '6\n'],
    )
  })

  it('ends a part at so many bytes', async () => {
    const long = 'x'.repeat(1000)
    await load(ndjsonSink(folder, { roll: { bytes: 2500 } }), [Array(7).fill(long)])
    deepEqual(
      seen()
        .slice(1)
        .map((name) => text(name).length),
      [3009, 3009, 1003],
    )
  })

  it('writes as it goes, and holds little of a large part', async () => {
    const writer = await ndjsonSink<string>(folder).open({ pipeline: 'job' })
    for (let i = 0; i < 20; i += 1) await writer.write(events(...Array<string>(100).fill('x'.repeat(1000))))
    const [temp] = readdirSync(join(folder, '.sluice-unfinished'))
    ok(statSync(join(folder, '.sluice-unfinished', temp as string)).size > 1_500_000)
    await writer.close()
    deepEqual(readdirSync(join(folder, '.sluice-unfinished')), [])
  })

  it('makes compressed files of large parts that are read as one', async () => {
    const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, text: 'some words that come again' }))
    await load(ndjsonSink(folder, { compression: 'gzip' }), [rows])
    const lines = gunzipSync(readFileSync(join(folder, 'job-00000001-0001.ndjson.gz')))
      .toString()
      .split('\n')
    equal(lines.length, 20_001)
    equal(lines[19_999], JSON.stringify(rows[19_999]))
  })

  it('lets nobody else read a file before it is finished, and gives it its mode then', async () => {
    const writer = await ndjsonSink<string>(folder, { mode: 0o640 }).open({ pipeline: 'job' })
    await writer.write(events('x'.repeat(300_000)))
    const staging = join(folder, '.sluice-unfinished')
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
    deepEqual([modeOf(staging), modeOf(join(staging, readdirSync(staging)[0] as string))], ['700', '600'])
    await writer.commit(checkpoint(1))
    await writer.close()
    deepEqual(
      seen().map((name) => modeOf(join(folder, name))),
      ['640', '640'],
    )
  })

  it('begins another manifest after a thousand parts', async () => {
    const many = ndjsonSink<number>(folder, { roll: { rows: 1 } })
    await load(many, [Array.from({ length: 1000 }, (_, id) => id), [1], [2]])
    deepEqual(
      seen().filter((name) => name.startsWith('_')),
      ['_manifest-job-00000001.json', '_manifest-job-00000002.json'],
    )
    await load(many, [[3]])
    equal(JSON.parse(text('_manifest-job-00000002.json')).parts.length, 3)
  })

  it('leaves files of others alone, and of other pipelines', async () => {
    await load(ndjsonSink(folder), [[1]], { pipeline: 'a' })
    writeFileSync(join(folder, 'mine.ndjson'), 'mine')
    writeFileSync(join(folder, '.sluice-unfinished', 'a-b-00000002-0001.ndjson.0123456789ab.tmp'), 'of a-b')
    writeFileSync(join(folder, '.sluice-unfinished', 'a-00000002-0001.ndjson.0123456789ab.tmp'), 'of a')
    await load(ndjsonSink(folder), [[2]], { pipeline: 'a' })
    deepEqual(readdirSync(join(folder, '.sluice-unfinished')), ['a-b-00000002-0001.ndjson.0123456789ab.tmp'])
    equal(text('mine.ndjson'), 'mine')
  })

  it('lets readers take finished files away', async () => {
    const sink = ndjsonSink<number>(folder)
    await load(sink, [[1]])
    rmSync(join(folder, 'job-00000001-0001.ndjson'))
    await load(sink, [[2]])
    deepEqual(seen().slice(1), ['job-00000002-0001.ndjson'])
  })

  it('does not start over beside the parts of an earlier time', async () => {
    await load(ndjsonSink(folder), [[1]])
    for (const name of readdirSync(folder)) if (name.startsWith('.sluice.db')) rmSync(join(folder, name))
    const found = /^Cannot write to ".*out": it holds parts of job up to epoch 1, and there is no checkpoint/
    await rejects(ndjsonSink(folder).open({ pipeline: 'job' }), failsWith('SINK_MISMATCH', found))
  })

  it('does not overwrite a file that has the name of a part', async () => {
    mkdirSync(folder)
    writeFileSync(join(folder, 'job-00000001-0001.ndjson'), 'mine')
    await rejects(load(ndjsonSink(folder), [[1]]), failsWith('SINK_MISMATCH', /there is a file of that name/))
    equal(text('job-00000001-0001.ndjson'), 'mine')
  })

  it('is not led astray by a damaged manifest', async () => {
    await load(ndjsonSink(folder), [[1]])
    for (const damaged of ['', '{', '{"version":2,"parts":[]}', '{"version":1,"parts":[{"path":1}]}']) {
      writeFileSync(join(folder, '_manifest-job-00000001.json'), damaged)
      await rejects(ndjsonSink(folder).open({ pipeline: 'job' }), failsWith('SINK_MISMATCH', /not of version 1/))
    }
  })

  it('keeps its checkpoints where it is told', async () => {
    const store = join(root, 'state.db')
    const sink = ndjsonSink(folder, { store, deadLetters: 'bad' })
    equal(sink.deadLetters, `table bad in ${store}`)
    await load(sink, [[1]])
    deepEqual([existsSync(store), existsSync(join(folder, '.sluice.db'))], [true, false])
  })

  it('refuses what cannot be used', () => {
    for (const bad of ['', 'a\0b', 5 as unknown as string]) {
      throws(() => ndjsonSink(bad), failsWith('CONFIG_INVALID'))
    }
    const options: object[] = [
      { compression: 'brotli' },
      { roll: { rows: 0 } },
      { roll: { row: 1 } },
      { maxOpenParts: 0 },
      { mode: 0o1777 },
      { partitionBy: 'day' },
      { columns: {} },
    ]
    for (const bad of options) throws(() => ndjsonSink(folder, bad as never), /Error/, JSON.stringify(bad))
  })

  it('F35: fences off a run that was taken over from, and neither gets into the way of the other', async () => {
    const sink = ndjsonSink<string>(folder)
    const owner = 'a run that is gone'
    const big = 'x'.repeat(300_000)
    const zombie = await sink.open({ pipeline: 'job', owner })
    await zombie.write(events('a', big))
    const successor = await sink.open({ pipeline: 'job', owner })
    await successor.write(events('b', big))
    await zombie.write(events('c', big))
    await rejects(async () => await zombie.commit(checkpoint(1)), failsWith('PIPELINE_HELD'))
    await zombie.close()
    await successor.commit(checkpoint(1))
    await successor.close()
    deepEqual(seen(), ['_manifest-job-00000001.json', 'job-00000001-0001.ndjson'])
    equal(text('job-00000001-0001.ndjson'), `"b"\n"${big}"\n`)
  })

  it('writes into a folder by the link that the user made to it', async () => {
    const elsewhere = join(root, 'elsewhere')
    mkdirSync(elsewhere)
    symlinkSync(elsewhere, folder)
    await load(ndjsonSink(folder), [[1]])
    equal(readFileSync(join(elsewhere, 'job-00000001-0001.ndjson'), 'utf8'), '1\n')
  })

  it('says so where there can be no folder', async () => {
    writeFileSync(folder, 'a file')
    await rejects(load(ndjsonSink(folder), [[1]]), failsWith('STORAGE_FAILED', /it is not a folder \(ENOTDIR\)/))
    await rejects(
      load(ndjsonSink(join(root, 'no', 'where')), [[1]]),
      failsWith('STORAGE_FAILED', /Cannot make .*where": there is no such file or folder \(ENOENT\)/),
    )
  })

  it('writes only where it may', { skip: process.getuid?.() === 0 ? 'root may write everywhere' : false }, async () => {
    mkdirSync(folder)
    chmodSync(folder, 0o500)
    await rejects(load(ndjsonSink(folder), [[1]]), failsWith('STORAGE_FAILED'))
  })
})

describe('partitions of part files', () => {
  const byDay = { partitionBy: ({ day }: { day: string }) => day }

  it('are folders, with their value on the manifest', async () => {
    await load(ndjsonSink(folder, byDay), [[{ day: 'mon' }, { day: 'a/b' }, { day: 'mon' }]])
    deepEqual(seen(), ['_manifest-job-00000001.json', 'a%2Fb/job-00000001-0002.ndjson', 'mon/job-00000001-0001.ndjson'])
    deepEqual(
      JSON.parse(text('_manifest-job-00000001.json')).parts.map(({ partition, rows }: never) => [partition, rows]),
      [
        ['a/b', 1],
        ['mon', 2],
      ],
    )
  })

  it('S8: stay below the root, each value in a folder of its own', async () => {
    const days = ['../../etc/x', 'a/b', '..', '.', '', 'CON', 'x'.repeat(300), 'x'.repeat(301), 'a\0b', '%2E', '~', '/']
    await load(ndjsonSink(folder, byDay), [days.map((day) => ({ day }))])
    deepEqual(readdirSync(root), ['out'])
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    equal(folders.length, days.length + 1)
    const listed = JSON.parse(text('_manifest-job-00000001.json')).parts
    for (const { path, partition } of listed) equal(text(path), `${JSON.stringify({ day: partition })}\n`)
  })

  it('S8: follow no link out of the root', async () => {
    const elsewhere = join(root, 'elsewhere')
    mkdirSync(elsewhere)
    mkdirSync(folder)
    symlinkSync(elsewhere, join(folder, 'mon'))
    await rejects(
      load(ndjsonSink(folder, byDay), [[{ day: 'mon' }]]),
      failsWith('STORAGE_FAILED', /it is a link \(ENOTDIR\)/),
    )
    deepEqual(readdirSync(elsewhere), [])
  })

  it('S18: take no link for the staging folder', async () => {
    const elsewhere = join(root, 'elsewhere')
    mkdirSync(elsewhere)
    mkdirSync(folder)
    symlinkSync(elsewhere, join(folder, '.sluice-unfinished'))
    await rejects(load(ndjsonSink(folder), [[1]]), failsWith('STORAGE_FAILED', /it is a link/))
  })

  it('refuse rows that partitionBy gives no text for, or throws at', async () => {
    const sink = ndjsonSink<{ day?: unknown }>(folder, {
      partitionBy: (row) => {
        if (row.day === 'bad') throw new Error('bad day')
        return row.day as string
      },
    })
    deepEqual(await load(sink, [[{}, { day: 5 }, { day: 'bad' }, { day: 'mon' }]]), [
      'partitionBy returns a text: found undefined',
      'partitionBy returns a text: found 5',
      'partitionBy threw: bad day',
    ])
  })

  it('are no more than so many at a time: the oldest is ended, and begun again', async () => {
    await load(ndjsonSink(folder, { ...byDay, maxOpenParts: 2 }), [
      ['a', 'b', 'c', 'a', 'a', 'c'].map((day) => ({ day })),
    ])
    const listed = JSON.parse(text('_manifest-job-00000001.json')).parts
    deepEqual(
      listed.map(({ path, rows }: { path: string; rows: number }) => `${path} ${rows}`),
      [
        'a/job-00000001-0001.ndjson 1',
        'a/job-00000001-0004.ndjson 2',
        'b/job-00000001-0002.ndjson 1',
        'c/job-00000001-0003.ndjson 2',
      ],
    )
  })

  it('are no more than so many in an epoch', async () => {
    const days = Array.from({ length: 6 }, (_, day) => ({ day: String(day) }))
    await rejects(
      load(ndjsonSink(folder, { ...byDay, maxParts: 5 }), [days]),
      failsWith('STATE_OVER_LIMIT', /Cannot begin another part in epoch 1: it has 5 \(maxParts\)/),
    )
    await load(ndjsonSink(folder, { ...byDay, maxParts: 5 }), [days.slice(0, 5), days.slice(1)])
    equal(seen().length, 11)
  })
})

describe('csvSink', () => {
  it('writes a header and the named columns', async () => {
    const columns = { id: 'integer', name: 'text', at: 'time', tags: 'json' } as const
    const row = { tags: ['a'], id: 1, name: 'x,"y"', at: 0, more: true }
    deepEqual(await load(csvSink(folder, { columns }), [[row, { id: 2, name: '' }, { id: 3n, at: new Date(1) }]]), [])
    equal(
      text('job-00000001-0001.csv'),
      'id,name,at,tags\r\n1,"x,""y""",1970-01-01T00:00:00.000Z,"[""a""]"\r\n2,"",,\r\n3,,1970-01-01T00:00:00.001Z,\r\n',
    )
  })

  it('takes the columns of the source where none are named', async () => {
    await load(csvSink<object>(folder, { delimiter: ';', header: false }), [[{ b: 1, a: 'x' }]], {
      columns: { a: 'text', b: 'integer' },
    })
    equal(text('job-00000001-0001.csv'), 'x;1\r\n')
  })

  it('finds columns out from the first rows, for all runs', async () => {
    const sink = csvSink<object>(folder)
    await load(sink, [[{ a: 1 }, { b: 'x', a: 2 }]])
    const reasons = await load(sink, [[{ b: 'y' }, { a: 3, c: 1 }]])
    deepEqual(reasons, ['no column c: they were inferred from the first rows, name them all'])
    equal(text('job-00000001-0001.csv'), 'a,b\r\n1,\r\n2,x\r\n')
    equal(text('job-00000002-0001.csv'), 'a,b\r\n,y\r\n')
  })

  it('refuses rows that do not fit their columns', async () => {
    const columns = { id: 'integer', name: 'text' } as const
    const rows: unknown[] = [
      5,
      null,
      [1],
      'x',
      {},
      { id: 1.5 },
      { id: '1' },
      { name: 1 },
      { name: '\ud800' },
      { id: 1 },
    ]
    const reasons = await load(csvSink<unknown>(folder, { columns }), [rows])
    deepEqual(reasons, [
      'a row must be an object: found 5',
      'a row must be an object: found null',
      'a row must be an object: found Array',
      'a row must be an object: found "x"',
      'a row must have columns: found none of them',
      'column id takes exact integers of 64 bits: found 1.5',
      'column id takes exact integers of 64 bits: found "1"',
      'column name takes text: found 1',
      'column name cannot hold half of a surrogate pair in "\\ud800"',
    ])
  })

  it('S1: makes texts of formulas where it is asked to', async () => {
    const columns = { cell: 'text' } as const
    await load(csvSink(folder, { columns, spreadsheetSafe: true, header: false }), [[{ cell: '=1+1' }]])
    equal(text('job-00000001-0001.csv'), "'=1+1\r\n")
  })

  it('S7: takes hostile names of columns as names', async () => {
    const row = JSON.parse('{"__proto__":"a","constructor":"b"}')
    await load(csvSink<object>(folder), [[row]])
    equal(text('job-00000001-0001.csv'), '"__proto__",constructor\r\na,b\r\n'.replaceAll('"', ''))
  })

  it('refuses an invalid delimiter', () => {
    throws(() => csvSink(folder, { delimiter: '"' }), TypeError)
  })
})

describe('parquetSink', () => {
  const read = async (name: string): Promise<Record<string, unknown>[]> => {
    const { parquetReadObjects } = await import('hyparquet')
    const bytes = readFileSync(join(folder, name))
    return await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) })
  }

  it('writes rows that are read back the same', async () => {
    const columns = { id: 'integer', name: 'text', x: 'real', ok: 'boolean', at: 'time' } as const
    const rows = [
      { id: 1, name: 'ü', x: 0.5, ok: true, at: 1000 },
      { id: 2n ** 60n, name: null },
    ]
    deepEqual(await load(parquetSink<object>(folder, { columns }), [rows]), [])
    deepEqual(
      (await read('job-00000001-0001.parquet')).map((row) => ({ ...row })),
      [
        { id: 1n, name: 'ü', x: 0.5, ok: true, at: new Date(1000) },
        { id: 2n ** 60n, name: null, x: null, ok: null, at: null },
      ],
    )
  })

  it('refuses rows that do not fit, and keeps nothing of them', async () => {
    const columns = { a: 'integer', b: 'text' } as const
    const rows = [
      { a: 1, b: 'x' },
      { a: 2, b: 3 },
      { a: 3, b: 'z' },
    ]
    deepEqual(await load(parquetSink<object>(folder, { columns }), [rows]), ['column b takes text: found 3'])
    deepEqual(
      (await read('job-00000001-0001.parquet')).map(({ a }) => a),
      [1n, 3n],
    )
  })

  it('ends a part at so many rows', async () => {
    const rows = Array.from({ length: 25 }, (_, id) => ({ id }))
    await load(parquetSink<object>(folder, { roll: { rows: 10 } }), [rows])
    equal(seen().length, 4)
  })

  it('holds a bounded amount of rows in all its parts', async () => {
    const big = 'x'.repeat(1024 * 1024)
    const sink = parquetSink<{ id: number; big: string }>(folder, {
      columns: { id: 'integer', big: 'text' },
      partitionBy: ({ id }) => String(id % 3),
    })
    const writer = (await sink.open({ pipeline: 'job' })) as SinkWriter<object>
    for (let id = 0; id < 100; id += 1) await writer.write(events({ id, big: `${id}${big}` }))
    ok(readdirSync(join(folder, '.sluice-unfinished')).length >= 1)
    await writer.close()
  })
})

describe('the disk of part files', () => {
  it('F13: being full stops the run, and what was committed stays', async (test) => {
    const small = join(root, 'small')
    mkdirSync(small)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small], { stdio: 'ignore' })
    } catch {
      return test.skip('no small file system can be mounted here')
    }
    try {
      folder = join(small, 'out')
      const sink = ndjsonSink<string>(folder, { store: join(root, 'state.db') })
      const big = Array<string>(3000).fill('x'.repeat(1000))
      await rejects(
        load(sink, [['a'], big]),
        failsWith('STORAGE_FAILED', /^Cannot write to ".*\.tmp": the disk is full \(ENOSPC\)$/),
      )
      // There is room again at once.
      deepEqual(readdirSync(join(folder, '.sluice-unfinished')), [])
      await load(ndjsonSink<string>(folder, { store: join(root, 'state.db') }), [['b']])
      deepEqual(seen().slice(1).map(text), ['"a"\n', '"b"\n'])
      deepEqual(readdirSync(join(folder, '.sluice-unfinished')), [])
    } finally {
      execFileSync('umount', [small])
    }
  })

  it('F13: being full where the store is stops the run, too', async (test) => {
    const small = join(root, 'small')
    mkdirSync(small)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small], { stdio: 'ignore' })
    } catch {
      return test.skip('no small file system can be mounted here')
    }
    try {
      folder = join(root, 'out')
      const sink = ndjsonSink<string>(folder, { store: join(small, 'state.db') })
      const writer = await sink.open({ pipeline: 'job' })
      await writer.write(events('a'))
      await writer.commit(checkpoint(1))
      await writer.write(events('b'))
      const states = new Map([['part', new Uint8Array(2 * 1024 * 1024)]])
      await rejects(
        async () => await writer.commit({ ...checkpoint(2), states }),
        failsWith('STORAGE_FAILED', /state\.db": .*ENOSPC/),
      )
      await writer.close()
      deepEqual(seen().slice(1).map(text), ['"a"\n'])
    } finally {
      execFileSync('umount', [small])
    }
  })
})
