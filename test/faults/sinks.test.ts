import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { FaultLoad } from '../support/fault-load.ts'
import { numbered, writeNumbered } from '../support/inputs.ts'
import { NO_PEAK, Peak } from '../support/peak.ts'
import { RowServer } from '../support/row-server.ts'
import { SEED } from '../support/seed.ts'

describe(`a sink that is slow, or hangs (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sinks-'))
  const input = join(folder, 'in.log')
  const content = { lines: 500, badEvery: 50 }
  writeNumbered(input, content)
  after(() => rmSync(folder, { recursive: true, force: true }))
  let stores = 0

  const loadOf = (server: RowServer, params: { input?: string; timeoutMs?: number; retryMs?: number } = {}) => {
    stores += 1
    return new FaultLoad({ input, into: 'http', out: server.url, store: join(folder, `${stores}.db`), ...params })
  }

  /** What must have come in the end. */
  const goodOf = (options: typeof content & { padding?: number }): string[] => {
    const lines = numbered(options).split('\n').slice(0, -1)
    return lines.filter((line) => !line.startsWith('bad')).sort()
  }

  it('F15: slows the source down: no more of 300 MB is held than of little', { skip: NO_PEAK }, async () => {
    await using server = await RowServer.start()
    const path = join(folder, 'large.log')
    const tenth = Buffer.from(numbered({ lines: 30_000, badEvery: 1000, padding: 1000 }))
    for (let part = 0; part < 10; part += 1) appendFileSync(path, tenth)
    server.delayMs = () => 100
    const peak = new Peak()
    const { signal } = await loadOf(server, { input: path }).run([], {
      onStart: (child) => {
        peak.watch(child)
        server.onRequest = () => server.requests === 60 && child.kill('SIGKILL')
      },
    })
    equal(signal, 'SIGKILL')
    ok(peak.mb > 0 && peak.mb < 256, `${peak.mb} MB`)
    rmSync(path)
  })

  it('F15: is given all of it, each once', async () => {
    await using server = await RowServer.start()
    const some = { lines: 20_000, badEvery: 1000 }
    const path = join(folder, 'some.log')
    writeNumbered(path, some)
    server.delayMs = () => 50
    const { code, stdout } = await loadOf(server, { input: path }).run(['--json'])
    equal(code, 0)
    const { read, loaded, dead } = JSON.parse(stdout).overall
    deepEqual({ read, loaded, dead }, { read: 20_000, loaded: 19_980, dead: 20 })
    deepEqual(server.texts, goodOf(some))
  })

  it('F16: is given up after its time with 69, where it is and what was tried; the next run loads the rest', async () => {
    await using server = await RowServer.start()
    const load = loadOf(server, { timeoutMs: 150, retryMs: 1500 })
    server.delayMs = () => Number.POSITIVE_INFINITY
    const { code, stderr } = await load.run()
    equal(code, 69)
    match(
      stderr,
      /^sluice: Cannot send rows to http:\/\/127\.0\.0\.1:\d+: \d attempts failed, the last with: it did not answer within 150 ms \(committed in all runs: 0 records\)\n$/,
    )
    ok(server.requests <= 4, `${server.requests} requests: a server in trouble is not hammered`)
    server.delayMs = () => 0
    equal((await load.run()).code, 0)
    deepEqual(server.texts, goodOf(content))
  })

  it('F32: holds no run up that is told to stop: 143 at the deadline, and the next run loads the rest', async () => {
    await using server = await RowServer.start()
    const load = loadOf(server)
    server.delayMs = () => Number.POSITIVE_INFINITY
    const outcome = await load.run(['--drain-timeout', '0.5'], {
      onStart: (child) => {
        server.onRequest = () => {
          child.kill('SIGTERM')
          server.onRequest = () => {}
        }
      },
    })
    equal(outcome.code, 143, outcome.stderr)
    match(
      outcome.stderr,
      /^stopping: received SIGTERM; finishing what was read\ndeadline of 0\.5 s over: stopping now, \d+ events not committed\nstopped, 0 records committed in all runs; continue with: sluice run .*\n$/,
    )
    server.delayMs = () => 0
    equal((await load.run()).code, 0)
    deepEqual(server.texts, goodOf(content))
  })

  it('F31: is left at once when the run is told twice, and the next run loads the rest', async () => {
    await using server = await RowServer.start()
    const load = loadOf(server)
    server.delayMs = () => Number.POSITIVE_INFINITY
    const twice = (child: ChildProcess): void => {
      child.kill('SIGINT')
      child.stderr?.once('data', () => child.kill('SIGINT'))
      server.onRequest = () => {}
    }
    const { code, stderr } = await load.run([], {
      onStart: (child) => {
        server.onRequest = () => twice(child)
      },
    })
    equal(code, 130, stderr)
    match(stderr, /^stopping: [^\n]*\nsecond interrupt: stopping now\nstopped, [^\n]*\n$/)
    server.delayMs = () => 0
    equal((await load.run()).code, 0)
    deepEqual(server.texts, goodOf(content))
  })
})
