import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { sqliteSink, startPipeline } from 'sluice'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { LETTERS, LettersLoad, type LettersState, writeOrders } from './support/dead-letters.ts'
import { Job } from './support/job.ts'

describe('dead letters', () => {
  const folder = tempFolder('sluice-letters-')
  const input = join(folder, 'orders.ndjson')
  const lines = writeOrders(input, 1500, 'letters')
  let loads = 0
  const newLoad = (into: 'sqlite' | 'several' = 'sqlite'): LettersLoad => {
    loads += 1
    const to = join(folder, `load-${loads}`)
    mkdirSync(to)
    return new LettersLoad({ input, into, to, lines })
  }
  const run = async (load: LettersLoad, options: { threads?: number; epochEvents?: number }): Promise<LettersState> => {
    const { params } = load
    await (await startPipeline(pathToFileURL(LETTERS), { params, ...options })).done
    return await load.state()
  }
  let plain: Promise<LettersState> | undefined
  const undisturbed = (): Promise<LettersState> => (plain ??= run(newLoad(), {}))

  it('C60: are as many as were counted, each with the place of its record or a number', async () => {
    const { records, results } = await undisturbed()
    const steps = new Set(records.flat().map((text) => text.replace(/^\S+ (.*) \d+: .*$/, '$1')))
    deepEqual([...steps].sort(), ['aggregate 2', 'check', 'json', 'mapAsync 7', 'sound', 'sqlite'])
    ok((records[0]?.length ?? 0) > 1000 && (results[0]?.length ?? 0) > 10)
  })

  for (const epochEvents of [7, 100]) {
    it(`C61: are the same in epochs of ${epochEvents}`, async () => {
      deepEqual(await run(newLoad(), { epochEvents }), await undisturbed())
    })
  }

  it('L60: name a record whose origin is an object of a class, also from other threads', async () => {
    using job = new Job(
      'pipeline, readOf, sqliteSink, tumbling, count',
      `class Origin {
        source = 'numbers'
        line = 0
        constructor(n) { this.offset = n }
        get raw() { return 'number ' + this.offset }
      }
      const from = {
        kind: 'numbers', title: 'numbers', splits: async () => [{ id: 'numbers' }],
        open: async (_, from = 0) => {
          let at = from
          const counts = { read: 0, blank: 0, invalidUtf8: 0 }
          const read = () => {
            if (at === 40) return undefined
            counts.read += 1
            at += 1
            return readOf([{ kind: 'event', value: { at: 1e12 + (at % 10) * 60_000 }, origin: new Origin(at - 1) }])
          }
          return { read, counts, position: () => at, doneBytes: 0, close: async () => {} }
        },
      }
      const window = tumbling('1m', ({ at }) => at, { outOfOrderness: '0s', futureLimit: '36500d' })
      const into = (name) => sqliteSink(new URL(name, import.meta.url).pathname, { table: 't', columns: { at: 'text' } })
      export const late = pipeline('late', {
        from: () => from,
        flow: (rows) => rows.shuffle().window(window).aggregate({ n: count() }).map(() => ({ at: 'x' })),
        results: 'append',
        into: () => into('late.db'),
      })
      export const rows = pipeline('rows', { from: () => from, into: () => into('rows.db') })`,
    )
    for (const [name, letters] of [
      ['late', 28],
      ['rows', 40],
    ] as const) {
      await (await startPipeline(pathToFileURL(job.file), { name, threads: 2 })).done
      const found = job.query(`${name}.db`, 'select file, "offset" as n, raw from dead_letters')
      equal(found.length, letters, name)
      for (const { file, n, raw } of found) deepEqual([file, raw], ['numbers', `number ${n}`])
    }
  })

  it('C65: are not kept by a reset that would give their places to other records', async () => {
    using job = new Job(
      'ndjsonSource, pipeline, sqliteSink',
      `const here = (name) => new URL(name, import.meta.url).pathname
      export default pipeline('endless', {
        from: () => ({ ...ndjsonSource(here('in.ndjson')), isUnbounded: true }),
        into: () => sqliteSink(here('out.db'), { table: 't', columns: { n: 'integer' } }),
      })`,
    )
    job.write('in.ndjson', '{"n":1}\n{"n":"x"}\n')
    equal((await job.here('run', ['--quiet'])).code, 0)
    const refused = await job.here('checkpoints', ['reset', '--yes'])
    equal(refused.code, 64)
    match(refused.stderr, /dead letters are kept, and .*in\.ndjson as json would give their places to other records/)
    equal((await job.here('checkpoints', ['reset', '--yes', '--dead-letters'])).code, 0)
    equal((await job.here('checkpoints', ['reset', '--yes'])).code, 0)
  })

  const counted: Record<string, string> = {
    'standard input': `textLines`,
    'a pipe': 'pipe',
    values: 'values',
    'a query': 'query',
    'a further source': 'merged',
  }
  for (const [what, kind] of Object.entries(counted)) {
    const isStream = kind === 'textLines' || kind === 'pipe'
    it(`C66: are not replaced by those of other records after a reset: ${what}`, async () => {
      using job = new Job(
        'fileSource, flow, pipeline, sqliteSink, sqliteSource, textLines, valuesSource',
        `import { readFileSync } from 'node:fs'
        const here = (name) => new URL(name, import.meta.url).pathname
        const texts = () => valuesSource(readFileSync(here('in.txt'), 'utf8').trim().split('\\n'))
        const from = {
          textLines: () => fileSource('-', textLines()),
          pipe: () => fileSource(here('in.pipe'), textLines(), { allowSpecial: true }),
          values: texts,
          query: () => sqliteSource(here('from.db'), { query: 'select n from numbers' }),
          merged: () => fileSource(here('none.txt'), textLines()),
        }
        export default pipeline('counted', {
          from: from.${kind},
          flow: (rows) => (${JSON.stringify(kind)} === 'merged' ? rows.merge(flow(texts())) : rows)
            .map((found) => ({ n: found.n ?? found })),
          into: () => sqliteSink(here('out.db'), { table: 't', columns: { n: 'integer' } }),
        })`,
      )
      job.write('none.txt', '')
      execFileSync('mkfifo', [job.path('in.pipe')])
      const runOf = async (text: string, isRead = true) => {
        job.write('in.txt', text)
        const database = new DatabaseSync(job.path('from.db'))
        database.exec('drop table if exists numbers; create table numbers (n)')
        for (const n of text.trim().split('\n')) database.prepare('insert into numbers values (?)').run(n)
        database.close()
        if (!isStream) return await job.here('run', ['--quiet'])
        return await job.call('run', ['--quiet'], {
          stdin: 'pipe',
          onStart: (child) => {
            child.stdin?.end(text)
            if (kind === 'pipe' && isRead) void writeFile(job.path('in.pipe'), text)
          },
        })
      }
      const letters = () => job.query('out.db', 'select raw from dead_letters order by 1').map(({ raw }) => raw)
      equal((await runOf('a\nb\n')).code, 0)
      const before = letters()
      equal(before.length, 2)
      const refused = await job.here('checkpoints', ['reset', '--yes'])
      equal(refused.code, 64)
      match(refused.stderr, /dead letters are kept, and .* would give their places to other records; export them/)
      // Whatever else takes the checkpoint away.
      const sink = sqliteSink(job.path('out.db'), { table: 't' })
      const inspector = await sink.inspect!('counted')
      await inspector.reset({ deadLetters: false })
      await inspector.close()
      const { code, stderr } = await runOf('c\nd\ne\n', false)
      equal(code, 78, stderr)
      match(stderr, /Cannot start counted without a checkpoint: dead letters are kept/)
      deepEqual(letters(), before)
      equal((await job.here('checkpoints', ['reset', '--yes', '--dead-letters'])).code, 0)
      equal((await runOf('c\nd\ne\n')).code, 0)
      equal(letters().length, 3)
    })
  }

  it('C66: are not replaced in a branch either', async () => {
    using job = new Job(
      'pipeline, fanOut, sqliteSink, valuesSource',
      `const here = (name) => new URL(name, import.meta.url).pathname
      const into = (name, type) => sqliteSink(here(name), { table: 't', columns: { n: type }, key: ['n'] })
      export default pipeline('branches', {
        from: () => valuesSource([{ n: 'a' }]),
        into: () => fanOut(into('out.db', 'text'), {
          spool: here('spool'),
          branches: { second: { into: into('second.db', 'integer') } },
        }),
      })`,
    )
    equal((await job.here('run', ['--quiet'])).code, 0)
    equal(job.query('second.db', 'select * from dead_letters').length, 1)
    const refused = await job.here('checkpoints', ['reset', '--yes'])
    match(refused.stderr, /dead letters are kept, and values would give their places to other records/)
    equal((await job.here('checkpoints', ['reset', '--yes', '--dead-letters'])).code, 0)
    equal((await job.here('run', ['--quiet'])).code, 0)
  })

  it('X33: are not exported as records where only a part was kept', async () => {
    using job = new Job(
      'fileSource, pipeline, sqliteSink, textLines',
      `const here = (name) => new URL(name, import.meta.url).pathname
      export default pipeline('parts', {
        from: () => fileSource(here('in.txt'), textLines(), { maxLineBytes: 1100 }),
        flow: (rows) => rows.map((n) => ({ n })),
        into: () => sqliteSink(here('out.db'), { table: 't', columns: { n: 'integer' } }),
      })`,
    )
    job.write('in.txt', `a\n${'b'.repeat(2000)}\nc\n`)
    equal((await job.here('run', ['--quiet'])).code, 0)
    deepEqual(await job.here('dead-letters', ['export', '--raw']), {
      code: 0,
      stdout: 'a\nc\n',
      stderr: '1 record left out, of which only a part was kept: see show\n',
    })
    equal((await job.here('dead-letters', ['export'])).stdout.split('\n').length, 4)
  })

  for (const threads of [1, 2]) {
    it(`C61: are the same on ${threads} threads`, async () => {
      deepEqual(await run(newLoad(), { threads, epochEvents: 50 }), await undisturbed())
    })
  }
})
