import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { sluice } from '../support/cli.ts'
import { Job } from '../support/job.ts'

const FIELDS = [
  '../../etc/cron.d/x',
  'a/b',
  '..',
  '.',
  '',
  'CON',
  'x'.repeat(300),
  'a\0b',
  '/etc/passwd',
  '~',
  '-rf',
  'a\nb',
  'Ü',
  '%2e%2e',
]

/** Every file below a folder, as a path from there. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

const PARTED = (kind: string): string => `
export default pipeline('parted', {
  from: () => ndjsonSource(import.meta.dirname + '/in.ndjson'),
  into: () => ${kind}(import.meta.dirname + '/deep/root', {
    ${kind === 'ndjsonSink' ? '' : "columns: { n: 'integer', field: 'text' }, "}partitionBy: (row) => row.field,
  }),
})`

describe('Names out of data', () => {
  for (const kind of ['ndjsonSink', 'csvSink', 'parquetSink']) {
    it(`S8: ${kind} keeps below its root, in a folder of each value`, async () => {
      using job = new Job(`ndjsonSource, pipeline, ${kind}`, PARTED(kind))
      mkdirSync(job.path('deep'))
      job.write('in.ndjson', FIELDS.map((field, n) => `${JSON.stringify({ n, field })}\n`).join(''))
      const before = filesIn(job.folder)
      const { code, stdout, stderr } = await job.here('run', ['--json'])
      equal(code, 0, stderr)
      const { loaded, dead } = JSON.parse(stdout).run
      const made = filesIn(job.folder).filter((path) => !before.includes(path))
      ok(
        made.every((path) => path.startsWith('deep/root')),
        made.join('\n'),
      )
      equal(loaded + dead, FIELDS.length)
      equal(dead, 0)
      const root = job.path('deep/root')
      const parts = filesIn(root).filter((path) => /\.(ndjson|csv|parquet)$/.test(path))
      equal(new Set(parts.map((path) => path.split('/')[0])).size, FIELDS.length)
      for (const path of parts) {
        equal(path.split('/').length, 2, path)
        match(path, /^[A-Za-z0-9_.=%+~-]+\/[A-Za-z0-9_.-]+$/)
      }
    })
  }

  it('S8: follow no link out of the root', async () => {
    using job = new Job('ndjsonSource, pipeline, ndjsonSink', PARTED('ndjsonSink'))
    mkdirSync(job.path('deep/root'), { recursive: true })
    mkdirSync(job.path('elsewhere'))
    symlinkSync(job.path('elsewhere'), job.path('deep/root/evil'))
    job.write('in.ndjson', '{"n":1,"field":"evil"}\n')
    await job.here('run')
    deepEqual(readdirSync(job.path('elsewhere')), [])
  })
})

const SOURCES: Readonly<Record<string, (path: string) => string>> = {
  lines: (path) => `fileSource(${path}, textLines())`,
  csv: (path) => `csvSource(${path})`,
  ndjson: (path) => `ndjsonSource(${path})`,
  jsonArray: (path) => `jsonArraySource(${path})`,
  parquet: (path) => `parquetSource(${path})`,
  tail: (path) => `tailSource(${path}, textLines())`,
  sqliteSource: (path) => `sqliteSource(${path}, { table: 't' })`,
}

describe('What is no file', () => {
  for (const [kind, source] of Object.entries(SOURCES)) {
    it(`S8: ${kind} refuses devices, pipes, sockets and folders, and waits for none of them`, {
      timeout: 180_000,
    }, async () => {
      using job = new Job(
        'csvSource, fileSource, jsonArraySource, ndjsonSource, param, parquetSource, pipeline, sqliteSink, sqliteSource, tailSource, textLines',
        `export default pipeline('odd', {
  params: { input: param.string('') },
  from: ({ input }) => ${source('input')},
  flow: (rows) => rows.map(() => ({ n: 1 })),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't', columns: { n: 'integer' } }),
})`,
      )
      const fifo = job.path('fifo')
      execFileSync('mkfifo', [fifo])
      const socket = job.path('socket')
      const server = createServer().listen(socket)
      mkdirSync(job.path('folder'))
      symlinkSync('/dev/zero', job.path('link'))
      symlinkSync('loop', job.path('loop'))
      try {
        // A tail waits for what a link leads to, as for any file that is not there yet.
        const loop = kind === 'tail' ? [] : [job.path('loop')]
        for (const path of [fifo, socket, job.path('folder'), '/dev/zero', job.path('link'), ...loop]) {
          const { code, stderr } = await job.here('run', ['--param', `input=${path}`, '--quiet'])
          ok([66, 78].includes(code ?? 0), `${path}: ${code} ${stderr}`)
          match(stderr, /^sluice: Cannot /)
        }
      } finally {
        server.close()
      }
    })
  }
})

describe('A name that a shell would take for something else', () => {
  const NAMES = [
    '$(touch x).log',
    '`touch x`.log',
    '-rf',
    '--help',
    'a\nb.log',
    'a;touch x',
    '*',
    '{a,b}',
    '~root',
    '"',
    'a,b',
    '[x]',
  ]

  it('S20: is the name of a file that is read, and of a database that is made', async () => {
    using job = new Job(
      'ndjsonSource, param, pipeline, sqliteSink',
      `export default pipeline('named', {
  params: { input: param.string(''), db: param.string('') },
  from: ({ input }) => ndjsonSource(input),
  into: ({ db }) => sqliteSink(db, { table: 't', columns: { n: 'integer' } }),
})`,
    )
    const before = process.cwd()
    process.chdir(job.folder)
    try {
      mkdirSync('out')
      for (const [n, name] of NAMES.entries()) {
        job.write(name, `{"n":${n}}\n`)
        const db = join('out', `${name}.db`)
        const { code, stderr } = await job.here('run', ['--param', `input=${name}`, '--param', `db=${db}`])
        equal(code, 0, stderr)
        deepEqual(job.query(db, 'select n from t'), [{ n }], name)
        // A file that is called `*` hides none of the others.
        rmSync(name)
      }
    } finally {
      process.chdir(before)
    }
    deepEqual(
      readdirSync(job.folder).filter((name) => name === 'x' || name === 'a'),
      [],
    )
  })

  it('S20: is the name of a module that is run', async () => {
    using job = new Job('pipeline', '')
    const code = "import { flow } from 'sluice'\nexport default flow([1])\n".replace(
      "'sluice'",
      JSON.stringify(new URL('../../src/index.ts', import.meta.url).href),
    )
    for (const name of ['$(touch x).ts', 'a\nb.ts', './-rf.ts', 'a b?#%41.ts']) {
      job.write(name, code)
      const { code: exit, stdout, stderr } = await sluice(['run', name, '--quiet'], { cwd: job.folder })
      deepEqual([exit, stdout], [0, '1\n'], `${name}: ${stderr}`)
    }
    ok(!existsSync(job.path('x')))
    equal(readFileSync(job.path('-rf.ts'), 'utf8'), code)
  })
})
