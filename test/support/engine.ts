// Engines for tests, started once for a test file: Prism, and Flink in Beam's job server.

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { programOf, ServerProcess } from './brokers.ts'
import { ROOT } from './project.ts'

const PRISM = join(ROOT, '.engine', 'bin', 'prism')

/** Why tests on Prism are skipped; false where it is installed. */
export const withoutPrism: string | false = existsSync(PRISM) ? false : 'Prism is not installed: npm run engine:install'

const FLINK = join(ROOT, '.engine', 'flink', 'lib')

/** Why tests on Flink are skipped; false where it is installed. */
export const withoutFlink: string | false =
  existsSync(FLINK) && programOf('java') !== undefined
    ? false
    : 'Flink is not installed: npm run engine:install -- flink'

/** Packages of Java that Flink looks into. */
const OPENS = [
  ...['java.lang', 'java.util', 'java.nio', 'java.net', 'java.io', 'java.time', 'java.util.concurrent'],
  ...['java.lang.reflect', 'java.lang.invoke', 'java.text', 'sun.nio.ch'],
].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`)

/** What is lost is started again; a large group goes past the sort buffers. */
const CONFIGURATION = `restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 3
restart-strategy.fixed-delay.delay: 100 ms
taskmanager.runtime.large-record-handler: true
rest.bind-port: 0
`

/** The address of a job server with Flink inside, which runs while the tests of a suite do. */
export function flink(): Engine {
  return running(({ port, folder }) => {
    writeFileSync(join(folder, 'flink-conf.yaml'), CONFIGURATION)
    const ports = [`--job-port=${port}`, '--artifact-port=0', '--expansion-port=0']
    const places = [`--artifacts-dir=${folder}`, `--flink-conf-dir=${folder}`, '--flink-master=[local]']
    const main = 'org.apache.beam.runners.flink.FlinkJobServerDriver'
    return [programOf('java') ?? '', ...OPENS, '-Xmx1g', '-cp', join(FLINK, '*'), main, ...ports, ...places]
  })
}

/** The address of a Prism that runs while the tests of a suite do. */
export function prism(): Engine {
  return running(({ port }) => [PRISM, '-job_port', String(port), '-serve_http=false'])
}

interface Engine {
  readonly address: string
}

function running(argv: Parameters<typeof ServerProcess.start>[0]): Engine {
  const engine = { address: '' }
  let server: ServerProcess | undefined
  before(async () => {
    server = await ServerProcess.start(argv)
    engine.address = `127.0.0.1:${server.port}`
  })
  after(async () => await server?.stop())
  return engine
}
