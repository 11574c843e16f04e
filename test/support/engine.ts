// Engines for tests: Prism, started once for a test file, and the rows of a run on it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { ROOT } from './project.ts'
import { until } from './until.ts'

const PRISM = join(ROOT, '.engine', 'bin', 'prism')

/** Why tests on Prism are skipped; false where it is installed. */
export const withoutPrism: string | false = existsSync(PRISM) ? false : 'Prism is not installed: npm run engine:install'

/** The address of a Prism that runs while the tests of a suite do. */
export function prism(): { readonly address: string } {
  const started = { address: '' }
  let child: ReturnType<typeof spawn> | undefined
  before(async () => {
    const port = await freePort()
    started.address = `127.0.0.1:${port}`
    child = spawn(PRISM, ['-job_port', String(port), '-serve_http=false'], { stdio: 'ignore' })
    await until(() => answers(port), 'Prism')
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
