import { deepEqual, equal, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { ROOT } from './support/project.ts'

const PROGRAM = join(ROOT, 'test', 'jobs', 'write-stdout.ts')

describe('standard output as a sink', () => {
  const folder = tempFolder('sluice-stdout-')

  const start = (store: string, count: number) => {
    const args = ['--conditions=sluice-source', PROGRAM, join(folder, store), String(count)]
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  }
  const idsOf = (lines: string): number[] => {
    return lines
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).id)
  }

  it('gives each row once when nothing goes wrong, and none again in the next run', async () => {
    const first = start('once.db', 2500)
    deepEqual(
      idsOf(await text(first.stdout)),
      Array.from({ length: 2500 }, (_, id) => id),
    )
    equal(await text(start('once.db', 2500).stdout), '')
  })

  it('F33: ends with one line and without a stack when its reader goes away, and gives the rest again', async () => {
    const first = start('closed.db', 200_000)
    const closed = once(first, 'close')
    const stderr = text(first.stderr)
    await once(first.stdout, 'data')
    first.stdout.destroy()
    const [code] = await closed
    deepEqual([code, await stderr], [0, 'OUTPUT_CLOSED: Cannot write to standard output: its reader has closed it\n'])
    const rest = idsOf(await text(start('closed.db', 200_000).stdout))
    equal(rest.at(-1), 199_999)
    ok(rest.length > 0 && (rest[0] as number) % 1000 === 0, `it goes on from a commit: ${rest[0]}`)
  })

  it('F15: waits for a reader that is slow, and holds little meanwhile', async () => {
    const child = start('slow.db', 100_000)
    let bytes = 0
    let peak = 0
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      bytes += chunk.length
      peak = Math.max(peak, child.stdout.readableLength)
      await new Promise((resolve) => setImmediate(resolve))
    }
    ok(bytes > 5_000_000)
    ok(peak < 1024 * 1024, `${peak} bytes`)
  })
})
