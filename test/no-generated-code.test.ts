import { deepEqual, equal } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { said } from './support/examples.ts'
import { Job } from './support/job.ts'
import { ROOT } from './support/project.ts'

const PROGRAMS = ['word-count', 'sensor-windows', 'join']
const FORBID = '--disallow-code-generation-from-strings'
/** Nor is there a way from an object to what all objects share. */
const STRICT = [FORBID, '--disable-proto=delete']

/** What a program prints, in a process that may or may not make code from text. */
function printed(args: readonly string[], cwd = ROOT): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=sluice-source', ...args], {
    encoding: 'utf8',
    cwd,
    timeout: 60_000,
  })
  equal(status, 0, stderr)
  return stdout
}

const CLI = join(ROOT, 'src', 'cli', 'bin.ts')
const sorted = (text: string): string => text.split('\n').sort().join('\n')

describe('where code from strings is forbidden', () => {
  it('S22: it is forbidden by the flag', () => {
    equal(spawnSync(process.execPath, [FORBID, '-e', 'new Function("")'], { stdio: 'ignore' }).status, 1)
    equal(printed([...STRICT, '-p', '({}).__proto__ === undefined']), 'true\n')
  })

  for (const name of PROGRAMS) {
    it(`S22: ${name} gives what it gives elsewhere`, () => {
      const file = join(ROOT, 'examples', `${name}.ts`)
      deepEqual(
        printed([...STRICT, file])
          .trimEnd()
          .split('\n'),
        said(readFileSync(file, 'utf8')),
      )
    })
  }

  it('S22: flows run on threads as they do elsewhere', () => {
    const args = ['src/cli/bin.ts', 'run', join('examples', 'word-count.ts'), '--threads', '2', '--quiet']
    equal(sorted(printed([...STRICT, ...args])), sorted(printed(args)))
  })

  it('S22: threads are under the same flags', () => {
    using job = new Job(
      'flow',
      `export default flow([1]).map(() => {
  let made = 'made'
  try { new Function('') } catch { made = 'none' }
  return [made, ({}).__proto__ === undefined]
})`,
    )
    equal(printed([...STRICT, CLI, 'run', job.file, '--threads', '1', '--quiet']), '["none",true]\n')
  })

  it('S22: a load of access logs is what it is elsewhere, in one thread and on several, with all that is kept of it', () => {
    using job = new Job('pipeline', '')
    const call = (flags: readonly string[], db: string, command: string, words: readonly string[]): string => {
      const params = ['--param', `input=${join(ROOT, 'examples', 'data', 'web.log')}`, '--param', `db=${job.path(db)}`]
      return printed([...flags, CLI, command, join(ROOT, 'examples', 'access-log.ts'), ...words, ...params])
    }
    const load = (flags: readonly string[], db: string, more: readonly string[]): unknown[] => {
      const { run } = JSON.parse(call(flags, db, 'run', ['--json', ...more]))
      return [run, job.query(db, 'select * from requests order by file, offset')]
    }
    const elsewhere = load([], 'a.db', [])
    deepEqual(load(STRICT, 'b.db', []), elsewhere)
    deepEqual(load(STRICT, 'c.db', ['--threads', '2']), elsewhere)
    call(STRICT, 'b.db', 'check', [])
    call(STRICT, 'b.db', 'checkpoints', ['show'])
    equal(call(STRICT, 'b.db', 'dead-letters', ['export']), call([], 'a.db', 'dead-letters', ['export']))
  })

  it('S22: the packages of other stores and formats do with it, too', () => {
    using job = new Job(
      'csvSource, csvSink, duckdbSink, ndjsonSource, param, parquetSource, parquetSink, pipeline, sqliteSink, sqliteSource',
      `
const at = (name) => import.meta.dirname + '/' + name
const columns = { n: 'integer', text: 'text' }
const ENDS = {
  first: [() => csvSource(at('in.csv')), () => parquetSink(at('parts'), { columns: { n: 'text', text: 'text' } })],
  second: [() => parquetSource(at('parts/*.parquet')), () => duckdbSink(at('out.duckdb'), { table: 't' })],
  third: [() => csvSource(at('in.csv'), { columns }), () => sqliteSink(at('out.db'), { table: 't', key: ['n'] })],
  fourth: [() => sqliteSource(at('out.db'), { table: 't', cursor: 'n' }), () => csvSink(at('sheets'), { columns })],
}
const { SLUICE_TURN: turn } = process.env
export default pipeline(turn, { from: ENDS[turn][0], into: ENDS[turn][1] })
`,
    )
    job.write('in.csv', 'n,text\n1,a\n2,b\n')
    for (const turn of ['first', 'second', 'third', 'fourth']) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--conditions=sluice-source', ...STRICT, CLI, 'run', job.file, '--json', '--strict'],
        { encoding: 'utf8', env: { ...process.env, SLUICE_TURN: turn }, timeout: 60_000 },
      )
      equal(status, 0, `${turn}: ${stderr}`)
      equal(JSON.parse(stdout).run.loaded, 2, turn)
    }
  })
})
