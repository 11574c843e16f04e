// Engines for tests, started once for a test file: Prism, and Flink in Beam's job server.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { ROOT } from './project.ts'
import { until } from './until.ts'

const PRISM = join(ROOT, '.engine', 'bin', 'prism')

/** Why tests on Prism are skipped; false where it is installed. */
export const withoutPrism: string | false = existsSync(PRISM) ? false : 'Prism is not installed: npm run engine:install'

const FLINK = join(ROOT, '.engine', 'flink', 'lib')

/** Why tests on Flink are skipped; false where it is installed. */
export const withoutFlink: string | false = existsSync(FLINK)
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
export function flink(folder: string): { readonly address: string } {
  return server('Flink', (port) => {
    writeFileSync(join(folder, 'flink-conf.yaml'), CONFIGURATION)
    const ports = [`--job-port=${port}`, '--artifact-port=0', '--expansion-port=0']
    const places = [`--artifacts-dir=${folder}`, `--flink-conf-dir=${folder}`, '--flink-master=[local]']
    const main = 'org.apache.beam.runners.flink.FlinkJobServerDriver'
    return ['java', [...OPENS, '-Xmx1g', '-cp', join(FLINK, '*'), main, ...ports, ...places]]
  })
}

/** The address of a Prism that runs while the tests of a suite do. */
export function prism(): { readonly address: string } {
  return server('Prism', (port) => [PRISM, ['-job_port', String(port), '-serve_http=false']])
}

function server(
  name: string,
  commandAt: (port: number) => readonly [command: string, args: readonly string[]],
): { readonly address: string } {
  const started = { address: '' }
  let child: ReturnType<typeof spawn> | undefined
  before(async () => {
    const port = await freePort()
    started.address = `127.0.0.1:${port}`
    const [command, args] = commandAt(port)
    child = spawn(command, args, { stdio: 'ignore' })
    await until(() => answers(port), name)
  })
  after(async () => {
    if (child === undefined || child.exitCode !== null) return
    const gone = once(child, 'exit')
    child.kill()
    await gone
  })
  return started
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
