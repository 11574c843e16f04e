import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { examplesInPage, placeOf } from './support/examples.ts'
import { NPM_ENV, packInto } from './support/packed.ts'
import { ROOT, readTree } from './support/project.ts'

const COMPILERS = { 'TypeScript 7': 'typescript@7', 'TypeScript 5.9': 'typescript@5.9' }
const RESOLUTIONS = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' },
}
/** What is handed in from outside is asked for by no error. */
const HANDED_IN = ['@opentelemetry/api', 'pino']

/** Opens whatever needs a package of its own, where nobody listens, and prints how that failed, one a line. */
const OPENING = `
import { writeFileSync } from 'node:fs'
import * as s from 'sluice'
import * as beam from 'sluice/beam'
import * as duckdb from 'sluice/duckdb'
import * as kafka from 'sluice/kafka'
import * as mqtt from 'sluice/mqtt'
import * as nats from 'sluice/nats'
import * as postgres from 'sluice/postgres'
import * as rabbitmq from 'sluice/rabbitmq'
import * as redis from 'sluice/redis'
import * as websocket from 'sluice/websocket'
writeFileSync('none.parquet', 'PAR1')
const sources = [
  () => nats.natsSource('nats://127.0.0.1:1', s.json(), { stream: 's', retryMs: 0 }),
  () => kafka.kafkaSource('kafka://127.0.0.1:1', s.json(), { topic: 't', retryMs: 0 }),
  () => rabbitmq.rabbitmqSource('amqp://127.0.0.1:1', s.json(), { queue: 'q', retryMs: 0 }),
  () => mqtt.mqttSource('mqtt://127.0.0.1:1', s.json(), { topics: 't', clientId: 'c', retryMs: 0 }),
  () => redis.redisStreamSource('redis://127.0.0.1:1', s.json(), { stream: 's', retryMs: 0 }),
  () => websocket.webSocketSource('ws://127.0.0.1:1', s.json(), { retryMs: 0 }),
  () => postgres.postgresSource('postgres://127.0.0.1:1/d', { table: 't', retryMs: 0 }),
  () => s.parquetSource('none.parquet'),
]
const sinks = [
  () => duckdb.duckdbSink('out.duckdb', { table: 't' }),
  () => postgres.postgresSink('postgres://127.0.0.1:1/d', { table: 't' }),
  () => s.parquetSink('parts'),
]
const jobs = [
  ...sources.map((from, at) => s.pipeline('source' + at, { from, into: () => s.sqliteSink('source' + at + '.db', { table: 't' }) })),
  ...sinks.map((into, at) => s.pipeline('sink' + at, { from: () => s.valuesSource([{ n: 1 }]), into })),
]
writeFileSync('beam-job.mjs', "import { pipeline, sqliteSink, valuesSource } from 'sluice'\\nexport default pipeline('far', { from: () => valuesSource([{ n: 1 }]), into: () => sqliteSink('far.db', { table: 't' }) })\\n")
await beam.run(new URL('beam-job.mjs', import.meta.url), { on: beam.beam('127.0.0.1:1') }).catch((error) => console.log(String(error.message).replaceAll('\\n', ' ')))
for (const job of jobs) {
  try {
    const run = await s.startPipeline(job, { retryMs: 0, signal: AbortSignal.timeout(20_000) })
    await run.done
  } catch (error) {
    console.log(String(error.message).replaceAll('\\n', ' '))
  }
}
process.exit(0)
`

const unreachable = await whyUnreachable()

describe('the package, installed into an empty folder', { skip: unreachable }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-install-'))
  const run = (command: string): string => {
    const { status, stdout, stderr } = spawnSync(command, { cwd: folder, shell: true, encoding: 'utf8', env: NPM_ENV })
    equal(status, 0, `${command}\n${stdout}${stderr}`)
    return stdout
  }
  /** What the compiler finds in `files`, by a project that checks the types of its libraries, too. */
  const compile = (compiler: string, files: readonly string[], options: object): string => {
    const compilerOptions = {
      ...{ target: 'es2024', strict: true, declaration: true, skipLibCheck: false, outDir: 'out', rootDir: '.' },
      ...{ rewriteRelativeImportExtensions: true, ...options },
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const tsc = join(folder, 'node_modules', compiler, 'bin', 'tsc')
    return spawnSync(process.execPath, [tsc, '-p', folder], { cwd: folder, encoding: 'utf8' }).stdout
  }
  const aliases = Object.entries(COMPILERS).map(([name, spec]) => [name, name.replace(/\W/g, '-').toLowerCase(), spec])

  before(() => {
    const packing = mkdtempSync(join(tmpdir(), 'sluice-pack-'))
    try {
      const { tarball } = packInto(packing)
      writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}')
      const compilers = aliases.map(([, alias, spec]) => `${alias}@npm:${spec}`)
      run(`npm install --no-audit --no-fund ${tarball} ${compilers.join(' ')}`)
    } finally {
      rmSync(packing, { recursive: true, force: true })
    }
    writeFileSync(
      join(folder, 'doors.ts'),
      `import * as sluice from 'sluice'
import * as stage from 'sluice/stage'
import * as testing from 'sluice/testing'
export const doors: readonly object[] = [sluice, stage, testing]
`,
    )
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('L64: asks for the types of Node where they are missing, and for nothing else', () => {
    for (const [, alias = ''] of aliases) {
      const lines = compile(alias, ['doors.ts'], RESOLUTIONS.nodenext).split('\n')
      const others = lines.filter((line) => /error/.test(line) && !/'node'|node:|@types\/node|asyncDispose/.test(line))
      deepEqual(others, [])
      match(lines.join('\n'), /npm i --save-dev @types\/node/)
    }
    run('npm install --no-audit --no-fund --save-dev @types/node@24')
  })

  it('L64: compiles with the types of Node, whatever else is not installed', () => {
    for (const [, alias = ''] of aliases) {
      equal(compile(alias, ['doors.ts'], { ...RESOLUTIONS.nodenext, target: 'es2022' }), '')
      equal(compile(alias, ['doors.ts'], { ...RESOLUTIONS.bundler, target: 'esnext' }), '')
    }
  })

  it('L64: opens by each of its names', () => {
    writeFileSync(
      join(folder, 'doors.mjs'),
      readFileSync(join(folder, 'doors.ts'), 'utf8').replace(/: readonly.* =/, ' ='),
    )
    const code = `const { doors } = await import('./doors.mjs'); console.log(doors.every((door) => Object.keys(door).length > 10))`
    equal(run(`${process.execPath} --input-type=module -e "${code}"`), 'true\n')
  })

  it('L64: asks for each package that is missing by a command that installs it', () => {
    writeFileSync(join(folder, 'opening.mjs'), OPENING)
    const installed = new Set<string>()
    for (let round = 0; round < 3; round++) {
      const said = run(`${process.execPath} opening.mjs`)
      const found = [...said.matchAll(/^Cannot load (\S+): run "(npm install [^"]+)"/gm)]
      // A source and a sink may ask for the same one.
      const commands = new Map(found.map(([, name = '', command = '']) => [name, command]))
      if (commands.size === 0) {
        equal(said.match(/Cannot load|Cannot find package|npm install/), null, said)
        break
      }
      for (const name of commands.keys()) {
        ok(!installed.has(name), `${name} was installed, and is missing:\n${said}`)
        installed.add(name)
      }
      // All of them at once: npm looks at the whole tree each time.
      const wanted = [...commands.values()].map((command) => command.replace(/^npm install /, ''))
      run(`npm install --no-audit --no-fund ${wanted.join(' ')}`)
    }
    const { peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    deepEqual(
      [...installed].sort(),
      Object.keys(peerDependencies)
        .filter((name) => !HANDED_IN.includes(name))
        .sort(),
    )
    run(`npm install --no-audit --no-fund ${HANDED_IN.join(' ')} zod`)
  })

  for (const [compiler, alias = ''] of aliases) {
    for (const [resolution, options] of Object.entries(RESOLUTIONS)) {
      it(`L64: compiles the examples of README and guide with ${compiler} and ${resolution}`, () => {
        const pages = [...readTree('docs/guide', '.md')].map(([path, text]) => [`docs/guide/${path}`, text] as const)
        const all = [['README.md', readFileSync(join(ROOT, 'README.md'), 'utf8')] as const, ...pages]
        const examples = all.flatMap(([path, text]) => examplesInPage(path, text))
        ok(examples.length >= 30)
        for (const example of examples) {
          const path = join(folder, placeOf(example))
          mkdirSync(dirname(path), { recursive: true })
          writeFileSync(path, `${example.code}\nexport {}\n`)
        }
        equal(compile(alias, ['doors.ts', ...examples.map(placeOf)], options), '')
      })
    }
  }

  it('L63: says which field of a schema does not fit', () => {
    const code = `import { flow } from 'sluice'
import { z } from 'zod'
export const ids = flow([{ id: 'a' }]).validate(z.object({ id: z.string(), age: z.number() }))
`
    writeFileSync(join(folder, 'schema.ts'), code)
    for (const [, alias = ''] of aliases) {
      match(compile(alias, ['schema.ts'], RESOLUTIONS.nodenext), /\bage' are incompatible.*events have no such field/s)
    }
  })
})

/** The reason to skip what needs the registry of npm; false where it answers. */
async function whyUnreachable(): Promise<string | false> {
  const { stdout } = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', env: NPM_ENV })
  try {
    const { ok } = await fetch(new URL('typescript/latest', stdout.trim()), { signal: AbortSignal.timeout(10_000) })
    return ok ? false : 'the registry of npm does not serve packages'
  } catch {
    return 'the registry of npm cannot be reached'
  }
}
