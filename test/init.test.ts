import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { projectFiles } from '../src/scaffold/project.ts'
import { SINKS } from '../src/scaffold/sinks.ts'
import { SOURCES } from '../src/scaffold/sources.ts'
import { rowsIn } from '../src/testing/rows-in.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { sluice } from './support/cli.ts'
import { compileStrictly } from './support/compile.ts'
import { sluiceHere } from './support/job.ts'
import { writeProject } from './support/new-project.ts'
import { duckdbRows, writeParquet } from './support/parquet.ts'
import { ROOT } from './support/project.ts'

const folder = tempFolder('sluice-init-test-')
const sources = Object.keys(SOURCES)
const sinks = Object.keys(SINKS)

const written = (name: string, source: string, sink: string, key?: string): string =>
  writeProject(join(folder, name), { source, sink, key })

describe('a new project', () => {
  it('I20: compiles under strict, for every source and sink, with and without a key', () => {
    const modules = new Map<string, string>()
    for (const source of sources) {
      for (const sink of sinks) {
        for (const key of [undefined, SOURCES[source]!('order_no').rows.fields[0]]) {
          const files = projectFiles({ name: 'shop', source, sink, key, releaseOf: () => '*' })
          const place = `${source}-${sink}${key === undefined ? '' : '-keyed'}`
          for (const name of ['job.ts', 'job.test.ts']) modules.set(`${place}/${name}`, files.get(name) ?? '')
        }
      }
    }
    equal(modules.size, sources.length * sinks.length * 4)
    deepEqual(compileStrictly(modules), [])
  })

  it('I20: passes its test, for every source and sink', () => {
    const files = sources.flatMap((source) =>
      sinks.map((sink) => join(written(`t-${source}-${sink}`, source, sink), 'job.test.ts')),
    )
    mkdirSync(join(folder, 'node_modules'), { recursive: true })
    symlinkSync(ROOT, join(folder, 'node_modules', 'sluice'))
    const args = ['--conditions=sluice-source', '--test', '--test-isolation=none', ...files]
    const { status, stdout } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    })
    equal(status, 0, stdout.slice(-3000))
    match(stdout, new RegExp(`pass ${files.length}\\b`))
  })

  /** Data that a template asks for. */
  const provide: Readonly<Record<string, (project: string) => Promise<void> | void>> = {
    parquet: async (project) => {
      mkdirSync(join(project, 'data'))
      await writeParquet(
        join(project, 'data', 'orders.parquet'),
        `select * from (values (1, 'Ann', 12.5::double), (2, 'Ben', 0)) t(id, customer, amount)`,
      )
    },
    sqlite: (project) => {
      mkdirSync(join(project, 'data'))
      const database = new DatabaseSync(join(project, 'data', 'shop.sqlite'))
      database.exec(
        `create table orders (id, customer, amount); insert into orders values (1, 'Ann', 12.5), (2, 'Ben', 0)`,
      )
      database.close()
    },
    duckdb: async (project) => {
      mkdirSync(join(project, 'data'))
      await duckdbRows(
        `attach '${join(project, 'data', 'shop.duckdb')}' as s; create table s.orders as select 1 as id, 'Ann' as customer, 12.5::double as amount`,
      )
    },
  }
  const finite = ['csv', 'ndjson', 'json', 'parquet', 'access-log', 'syslog', 'lines', 'values', 'sqlite', 'duckdb']
  for (const source of finite) {
    it(`I21: runs from ${source} into SQLite`, async () => {
      const project = written(`run-${source}`, source, 'sqlite')
      await provide[source]?.(project)
      const { code, stderr } = await sluice(['run', 'job.ts', '-q'], { cwd: project })
      equal(code, 0, stderr)
      ok(rowsIn(join(project, 'out/result.sqlite'), 'select * from result').length > 0)
    })
  }
  for (const sink of ['sqlite', 'duckdb', 'ndjson', 'csv', 'parquet', 'stdout', 'callback']) {
    it(`I21: runs from CSV into ${sink}`, async () => {
      const project = written(`into-${sink}`, 'csv', sink, 'id')
      const first = await sluice(['run', 'job.ts', '--json'], { cwd: project })
      equal(first.code, 0, first.stderr)
      match(`${first.stdout}${first.stderr}`, /"loaded":2\b/)
    })
  }
})

describe('sluice init', () => {
  it('I22: writes a project, and leaves what exists', async () => {
    const place = join(folder, 'Own Shop')
    mkdirSync(place)
    writeFileSync(join(place, 'package.json'), '{"name":"mine"}')
    const first = await sluiceHere(['init', place, '--source', 'csv', '--sink', 'postgres', '--key', 'order_no'])
    equal(first.code, 0, first.stderr)
    match(first.stdout, /^wrote job\.ts, job\.test\.ts, .*\nleft as they are, they exist: package\.json\n/)
    equal(readFileSync(join(place, 'package.json'), 'utf8'), '{"name":"mine"}')
    match(readFileSync(join(place, 'job.ts'), 'utf8'), /key: \['order_no'\]/)
    match(readFileSync(join(place, '.env.example'), 'utf8'), /^TARGET_URL=postgres:/m)
    const second = await sluiceHere(['init', place, '--source', 'csv'])
    match(second.stdout, /^wrote out\/|^wrote nothing/)
  })

  it('says what a wrong option may be', async () => {
    for (const [words, told] of [
      [['--source', 'cvs'], /--source cannot be cvs: did you mean csv\?/],
      [['--sink', 'postgers'], /did you mean postgres\?/],
      [['--source', 'lines', '--key', 'id'], /--key of lines must be one of text: found id/],
      [['--key', 'a b'], /--key must be the name of a field: found a b/],
    ] as const) {
      const { code, stderr } = await sluiceHere(['init', join(folder, 'none'), ...words])
      equal(code, 64)
      match(stderr, told)
    }
  })

  it('I23: is what npm create runs, with its words', () => {
    const place = join(folder, 'created')
    const modules = join(place, 'node_modules')
    mkdirSync(join(modules, 'sluice', 'dist', 'cli'), { recursive: true })
    cpSync(join(ROOT, 'create'), join(modules, 'create-sluice'), { recursive: true })
    writeFileSync(join(modules, 'sluice', 'package.json'), '{"type":"module"}')
    writeFileSync(
      join(modules, 'sluice', 'dist', 'cli', 'bin.js'),
      'console.log(JSON.stringify(process.argv.slice(2)))',
    )
    const out = execFileSync(
      process.execPath,
      [join(modules, 'create-sluice', 'index.js'), 'shop', '--source', 'csv'],
      { encoding: 'utf8' },
    )
    deepEqual(JSON.parse(out), ['init', 'shop', '--source', 'csv'])
    const [own, other] = ['package.json', 'create/package.json'].map((path) =>
      JSON.parse(readFileSync(join(ROOT, path), 'utf8')),
    )
    deepEqual([other.version, other.dependencies], [own.version, { sluice: `^${own.version}` }])
  })
})
