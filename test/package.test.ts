import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { oldNodes, packInto, TSC } from './support/packed.ts'
import { ROOT } from './support/project.ts'
import { BEFORE_MISTAKES, EXPORTS, FINE, MISTAKES } from './support/user-modules.ts'

const NODE = process.execPath
/** What is imported, and something that each has. */
const DOORS = {
  sluice: 'startPipeline',
  'sluice/connect': 'batchOf',
  'sluice/duckdb': 'duckdbSink',
  'sluice/kafka': 'kafkaSink',
  'sluice/mqtt': 'mqttSink',
  'sluice/nats': 'natsSink',
  'sluice/postgres': 'postgresSink',
  'sluice/rabbitmq': 'rabbitmqSink',
  'sluice/redis': 'redisStreamSource',
  'sluice/stage': 'connect',
  'sluice/testing': 'ManualClock',
  'sluice/websocket': 'webSocketSource',
}

describe('the packed tarball', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'))
  const installed = join(folder, 'node_modules', 'sluice')
  let packed: readonly string[] = []

  before(() => {
    const { tarball, files } = packInto(folder)
    packed = files
    mkdirSync(installed, { recursive: true })
    execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    for (const name of [...Object.keys(manifest.dependencies), '@types/node', 'undici-types']) {
      cpSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true })
    }
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('S21: holds what is published and nothing else', () => {
    const published = [
      /^dist\/.*\.(js|d\.ts)(\.map)?$/,
      /^src\/.*\.ts$/,
      // The messages of an engine, and what was generated of them.
      /^src\/beam\/wire\/beam(\.proto|_pb\.js)$/,
      /^docs\/.*\.(md|png|svg)$/,
      /^(README\.md|CHANGELOG\.md|LICENSE|package\.json)$/,
    ]
    deepEqual(
      packed.filter((path) => !published.some((pattern) => pattern.test(path))),
      [],
    )
    deepEqual(
      packed.filter((path) => path.includes('.test.')),
      [],
    )
  })

  it('L64: has types that need no package but its dependencies and the types of Node', () => {
    const { dependencies, exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    const allowed = (name: string): boolean => name.startsWith('node:') || name in dependencies
    const found = new Set<string>()
    const foreign: string[] = []
    const waiting = Object.values<{ readonly types?: string }>(exports).map(({ types = '' }) => join(installed, types))
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (found.has(path) || !path.endsWith('.d.ts')) continue
      found.add(path)
      const code = readFileSync(path, 'utf8').replaceAll(/\/\*.*?\*\//gs, '')
      const named = code.matchAll(/(?:from|import\()\s*'([^']+)'/g)
      for (const [, name = ''] of named) {
        if (name.startsWith('.')) waiting.push(join(path, '..', name.replace(/\.(?:js|ts)$/, '.d.ts')))
        else if (!allowed(name)) foreign.push(`${path}: ${name}`)
      }
    }
    ok(found.size > 100, `${found.size} declarations were found`)
    deepEqual(foreign, [])
  })

  it('leads from a type to the code behind it', () => {
    const { sources } = JSON.parse(readFileSync(join(installed, 'dist', 'flow', 'flow.d.ts.map'), 'utf8'))
    deepEqual(sources, ['../../src/flow/flow.ts'])
    for (const path of packed.filter((path) => path.endsWith('.map'))) {
      const { sources } = JSON.parse(readFileSync(join(installed, path), 'utf8'))
      for (const source of sources) ok(existsSync(join(installed, path, '..', source)), `${path}: ${source}`)
    }
  })

  for (const [door, name] of Object.entries(DOORS)) {
    it(`opens ${door}`, () => {
      const code = `import * as door from '${door}'; process.stdout.write(typeof door['${name}'])`
      equal(execFileSync(NODE, ['--input-type=module', '-e', code], { cwd: folder, encoding: 'utf8' }), 'function')
    })
  }

  it('has one Flow, one SluiceError and one Rejection for all doors and workers', () => {
    const programs = packed.filter((path) => /^dist\/.*\.js$/.test(path)).map((path) => join(installed, path))
    for (const name of ['Flow', 'SluiceError', 'Rejection']) {
      const making = new RegExp(`\\b${name}\\d* = class\\b|\\bclass ${name}\\d*\\b`)
      const makers = programs.filter((path) => making.test(readFileSync(path, 'utf8')))
      equal(makers.length, 1, `${name}: ${makers}`)
    }
    const code = `import { SluiceError } from 'sluice'
import { natsSource } from 'sluice/nats'
try { natsSource('nats://localhost', 7, { stream: '' }) } catch (error) { process.stdout.write(String(error instanceof SluiceError)) }`
    equal(execFileSync(NODE, ['--input-type=module', '-e', code], { cwd: folder, encoding: 'utf8' }), 'true')
  })

  it('runs a flow on threads', () => {
    writeFileSync(
      join(folder, 'numbers.mjs'),
      "import { flow } from 'sluice'\nexport default flow([1, 2]).map((n) => n * 2)\n",
    )
    const program = join(folder, 'on-threads.mjs')
    const code = `import { collect } from 'sluice'
const found = await collect(new URL('numbers.mjs', import.meta.url), { threads: 2 })
console.log(found.sort().join())`
    writeFileSync(program, code)
    equal(execFileSync(NODE, [program], { encoding: 'utf8' }), '2,4\n')
  })

  it('brings types that a strict project compiles with', () => {
    const code = `import { accessLog, fileSource, param, pipeline, sqliteSink } from 'sluice'
import { connect, consumer, from } from 'sluice/stage'
export default pipeline('job', {
  params: { input: param.string('*.log') },
  from: ({ input }) => fileSource(input, accessLog()),
  flow: (requests) => requests.filter((request) => request.status >= 500),
  into: () => sqliteSink('out.db', { table: 't', key: ['file', 'offset'] }),
})
await connect(from([1, 2]), consumer<number>({ onEvents: () => {} }))
// @ts-expect-error: these are numbers
await connect(from([1, 2]), consumer<string>({ onEvents: () => {} }))
`
    writeFileSync(join(folder, 'user.ts'), code)
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
    const { stdout, status } = spawnSync(NODE, [TSC, ...flags, '--lib', 'es2024,esnext.disposable', 'user.ts'], {
      cwd: folder,
      encoding: 'utf8',
    })
    equal(status, 0, stdout)
  })

  /** What the compiler says of a module. */
  function compiled(code: string, ...flags: readonly string[]): readonly string[] {
    writeFileSync(join(folder, 'own.ts'), code)
    const always = ['--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node', '--pretty', 'false']
    const { stdout } = spawnSync(NODE, [TSC, ...always, ...flags, 'own.ts'], { cwd: folder, encoding: 'utf8' })
    return stdout.split(/\n(?=own\.ts)/).filter((text) => text !== '')
  }

  it('L66: brings names for the types of all that a module may export', () => {
    deepEqual(compiled(EXPORTS, '--declaration', '--emitDeclarationOnly', '--outDir', join(folder, 'types')), [])
  })

  it('L67: says what is wrong with the usual mistakes', () => {
    const lines = Object.values(MISTAKES).map(([code]) => code)
    const said = compiled([BEFORE_MISTAKES.trimEnd(), ...lines, FINE].join('\n'), '--noEmit')
    const above = BEFORE_MISTAKES.trimEnd().split('\n').length
    for (const [index, [name, [, says]]] of Object.entries(MISTAKES).entries()) {
      const text = said.filter((text) => text.startsWith(`own.ts(${above + index + 1},`)).join('\n')
      for (const part of says) ok(text.includes(part), `${name}: ${text}`)
    }
    const fine = said.filter((text) => Number(/\((\d+),/.exec(text)?.[1]) > above + lines.length)
    deepEqual(fine, [])
  })

  it('brings the command, which runs a module that lies elsewhere', () => {
    const bin = join(installed, 'dist', 'cli', 'bin.js')
    match(execFileSync(NODE, [bin, '--version'], { encoding: 'utf8' }), /^\d+\.\d+\.\d+\n$/)
    const elsewhere = mkdtempSync(join(tmpdir(), 'sluice-elsewhere-'))
    try {
      writeFileSync(
        join(elsewhere, 'a.log'),
        '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "x"\n',
      )
      cpSync(join(ROOT, 'examples', 'access-log.ts'), join(elsewhere, 'job.mts'))
      const run = spawnSync(NODE, [bin, 'run', 'job.mts', '-p', 'input=a.log', '-p', 'db=out.db', '--json'], {
        cwd: elsewhere,
        encoding: 'utf8',
      })
      equal(run.status, 0, run.stderr)
      equal(JSON.parse(run.stdout).run.loaded, 1)
      ok(existsSync(join(elsewhere, 'out.db')))
    } finally {
      rmSync(elsewhere, { recursive: true, force: true })
    }
  })

  it('C111: check misses a package that a run would miss, in its words', () => {
    const bin = join(installed, 'dist', 'cli', 'bin.js')
    const code = `import { pipeline, valuesSource } from 'sluice'
import { duckdbSink } from 'sluice/duckdb'
export default pipeline('job', { from: valuesSource([{ a: 1 }]), into: duckdbSink('out.duckdb', { table: 't' }) })\n`
    writeFileSync(join(folder, 'duckdb-job.mts'), code)
    const [checked, ran] = ['check', 'run'].map((command) =>
      spawnSync(NODE, [bin, command, 'duckdb-job.mts'], { cwd: folder, encoding: 'utf8' }),
    )
    deepEqual([checked?.status, ran?.status], [78, 78], checked?.stderr)
    match(`${checked?.stderr}`, /Cannot load @duckdb\/node-api: run "npm install @duckdb\/node-api@latest"/)
    equal(ran?.stderr.trim().split('\n').at(-1), checked?.stderr.trim())
  })

  it('lets others publish a connector: the one of the examples compiles, and keeps to the suites', () => {
    const connector = join(folder, 'connector')
    cpSync(join(ROOT, 'examples', 'connector'), connector, { recursive: true })
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
    const own = ['--allowImportingTsExtensions', '--lib', 'es2024,esnext.disposable', '--exactOptionalPropertyTypes']
    const compiling = spawnSync(NODE, [TSC, ...flags, ...own, 'maildir.test.ts'], { cwd: connector, encoding: 'utf8' })
    equal(compiling.stdout, '')
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const testing = spawnSync(NODE, ['--test', 'maildir.test.ts'], { cwd: connector, encoding: 'utf8', env })
    equal(testing.status, 0, testing.stdout)
    match(testing.stdout, /pass 2\d\n/)
  })

  it('L64: says after npm ci which Node is used where that of the machine is too old, and warns of nothing else', () => {
    const told = (version: string): string => {
      const env = { ...process.env, npm_config_user_agent: `npm/11.0.0 node/v${version} linux x64` }
      return execFileSync(NODE, [join(ROOT, 'scripts', 'tell-node.ts')], { encoding: 'utf8', env })
    }
    match(told('20.19.0'), /^This machine has Node 20\.19\.0, and Sluice needs 24 or newer: npm run uses Node 2\d.*\n$/)
    deepEqual([told('24.0.0'), told('26.1.0')], ['', ''])
    match(readFileSync(join(ROOT, '.npmrc'), 'utf8'), /^loglevel=error$/m)
  })

  const old = oldNodes()
  it('L64: says what it needs when an old Node starts or imports it', {
    skip: old.size === 0 ? 'there is no Node before 24 here' : false,
  }, () => {
    for (const [node, version] of old) {
      const bin = join(installed, 'dist', 'cli', 'bin.js')
      const { status, stderr } = spawnSync(node, [bin, '--help'], { encoding: 'utf8' })
      equal(status, 78)
      const said = stderr.trim()
      ok(said.startsWith(`Sluice needs Node 24 or newer: this is ${version.slice(1)} (`), said)
      equal(said.split('\n').length, 1)
      for (const door of Object.keys(DOORS)) {
        const code = `import('${door}').catch((error) => process.stdout.write(error.message))`
        equal(spawnSync(node, ['-e', code], { cwd: folder, encoding: 'utf8' }).stdout, said, `${door}, ${version}`)
      }
    }
  })
})
