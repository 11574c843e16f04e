import { deepEqual, equal, match, ok } from 'node:assert/strict'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { FaultLoad, type LoadState, undisturbed } from '../support/fault-load.ts'
import { numbered, writeNumbered } from '../support/inputs.ts'
import { RowServer } from '../support/row-server.ts'
import { randomOf, SEED, times } from '../support/seed.ts'

const root = mkdtempSync(join(tmpdir(), 'sluice-files-'))
after(() => rmSync(root, { recursive: true, force: true }))
let turn = 0
let folder = ''
beforeEach(() => {
  turn += 1
  folder = join(root, `${turn}`)
  mkdirSync(folder)
})

describe(`a file that changes under a load (REPRO: SEED=${SEED} npm test)`, () => {
  const random = randomOf('files')

  it('F18: stops it with 66 and both sizes when it is cut while it is read; what was read before stays', async () => {
    await using server = await RowServer.start()
    const input = join(folder, 'in.log')
    const content = { lines: 20_000, padding: 1000 }
    for (let again = 0; again < times(1); again += 1) {
      server.rows.clear()
      server.requests = 0
      writeNumbered(input, content)
      const toBytes = Math.floor(random() * 100_000)
      server.delayMs = () => 20
      server.onRequest = () => server.requests === 2 && truncateSync(input, toBytes)
      const load = new FaultLoad({ input, into: 'http', out: server.url, store: join(folder, `state-${again}.db`) })
      const { code, stderr } = await load.run()
      equal(code, 66, stderr)
      match(
        stderr,
        new RegExp(`^sluice: Cannot read on in "[^"]*" from byte \\d+: it shrank from \\d+ to ${toBytes} bytes`),
      )
      const before = new Map(server.rows)
      ok(before.size > 0)
      // Its content is there again: the rest comes.
      writeNumbered(input, content)
      server.delayMs = () => 0
      server.onRequest = () => {}
      equal((await load.run()).code, 0)
      for (const [place, text] of before) equal(server.rows.get(place), text)
      const good = numbered(content)
        .split('\n')
        .filter((line) => line.startsWith('line'))
      deepEqual(server.texts, good.sort())
    }
  })

  it('F18: stops the next one with 66 and the size when it is shorter than what was read of it', async () => {
    const input = join(folder, 'in.log')
    writeNumbered(input, { lines: 100 })
    const load = new FaultLoad({ input, out: join(folder, 'out.db') })
    const whole = await load.goOn()
    truncateSync(input, 50)
    const { code, stderr } = await load.run()
    equal(code, 66)
    match(
      stderr,
      /^sluice: Cannot resume "[^"]*in\.log" from byte \d+: the file is now 50 bytes \(committed in all runs: 100 records\)\n$/,
    )
    writeNumbered(input, { lines: 100 })
    await load.finish(whole)
  })

  const replacements: Readonly<Record<string, readonly [bytes: (old: Buffer) => Buffer, found: RegExp]>> = {
    'at its beginning': [(old) => Buffer.concat([Buffer.from('LINE'), old.subarray(4)]), /its first bytes differ/],
    'behind its beginning': [
      (old) => Buffer.concat([old.subarray(0, 6000), Buffer.alloc(old.length - 6000, 'new line\n')]),
      /the bytes before it differ/,
    ],
    'in all of it, and it is longer': [(old) => Buffer.alloc(2 * old.length, 'new line\n'), /its first bytes differ/],
  }

  for (const [where, [replace, found]] of Object.entries(replacements)) {
    it(`F20: is not taken for the one before when another has its name and size, different ${where} (66)`, async () => {
      const input = join(folder, 'in.log')
      const old = Buffer.from(numbered({ lines: 1000 }))
      writeFileSync(input, old)
      const load = new FaultLoad({ input, out: join(folder, 'out.db') })
      const whole = await load.goOn()
      writeFileSync(input, replace(old))
      const { code, stderr } = await load.run()
      equal(code, 66)
      match(stderr, /^sluice: Cannot resume "[^"]*in\.log" from byte \d+: it is another file[:,] [^\n]*\n$/)
      match(stderr, found)
      deepEqual(load.state(), whole)
      writeFileSync(input, old)
      await load.finish(whole)
    })
  }

  it('F20: is not taken for the one before when another has its name and size: compressed', async () => {
    const input = join(folder, 'in.log.gz')
    const [old, other] = ['line', 'LINE'].map((word) => gzipSync(numbered({ lines: 1000 }).replaceAll('line', word)))
    writeFileSync(input, old as Buffer)
    const load = new FaultLoad({ input, out: join(folder, 'out.db') })
    const whole = await load.goOn()
    writeFileSync(input, other as Buffer)
    const { code, stderr } = await load.run()
    equal(code, 66)
    match(stderr, /it is another file|the file has changed|the file is now/)
    writeFileSync(input, old as Buffer)
    await load.finish(whole)
  })

  it('F21: gives a last line without its end as it stands, and takes what completes it for no row', async () => {
    const input = join(folder, 'in.log')
    writeFileSync(input, 'line 1\nline 2')
    const load = new FaultLoad({ input, out: join(folder, 'out.db') })
    equal((await load.run()).code, 0)
    equal((await load.goOn()).rows, 2)
    writeFileSync(input, 'line 1\nline 2, and more\nline 3\n')
    equal((await load.run()).code, 0)
    const { rows, dead, totals } = load.state()
    deepEqual({ rows, dead, read: totals.read }, { rows: 3, dead: 1, read: 4 })
    await load.finish(load.state())
  })
})

describe(`files that are named twice (REPRO: SEED=${SEED} npm test)`, () => {
  it('F29: are loaded once, whatever names, globs and links lead to them', async () => {
    writeNumbered(join(folder, 'a.log'), { lines: 100 })
    writeNumbered(join(folder, 'b.log'), { lines: 100, from: 100 })
    symlinkSync(join(folder, 'a.log'), join(folder, 'c.log'))
    const names = ['a.log', '*.log', 'a*', '../*/b.log', 'a.log'].map((name) => join(folder, name))
    const load = new FaultLoad({ input: names.join(','), out: join(folder, 'out.db') })
    const { code, stdout } = await load.run(['--json'])
    const report = JSON.parse(stdout)
    deepEqual([code, report.run.read, report.splits.all], [0, 200, 2])
  })

  it('F29: add nothing to a second load, which says so', async () => {
    writeNumbered(join(folder, 'a.log'), { lines: 100 })
    writeNumbered(join(folder, 'b.log'), { lines: 100, from: 100 })
    writeFileSync(join(folder, 'z.log.gz'), gzipSync(numbered({ lines: 100, from: 200 })))
    const out = join(folder, 'out.db')
    const all = await new FaultLoad({ input: join(folder, '*.log*'), out }).goOn()
    // Other names for the same, and only some of them.
    for (const name of ['*.log*', 'a.log', '[ab].log', 'z*']) {
      const load = new FaultLoad({ input: join(folder, name), out })
      const { code, stdout } = await load.run()
      equal(code, 0)
      match(stdout, /\n {2}nothing new: (\d) of \1 already loaded up to the end\n/)
      deepEqual(load.state(), all)
    }
  })

  it('F29: keep exact repeats inside of them, and those in a copy of them', async () => {
    writeFileSync(join(folder, 'a.log'), 'line\nline\nother\nline\n')
    const load = new FaultLoad({ input: join(folder, '*.log'), out: join(folder, 'out.db') })
    equal((await load.goOn()).rows, 4)
    copyFileSync(join(folder, 'a.log'), join(folder, 'b.log'))
    equal((await load.run()).code, 0)
    equal(load.state().rows, 8)
    await load.finish(load.state())
  })
})

describe(`a thousand files and few descriptors (REPRO: SEED=${SEED} npm test)`, () => {
  const input = join(root, 'thousand', 'app.log.*')
  let expected: LoadState

  before(async () => {
    mkdirSync(join(root, 'thousand'))
    for (let n = 0; n < 1000; n += 1) {
      const text = numbered({ lines: 10, from: n * 10 })
      const path = join(root, 'thousand', `app.log.${n}`)
      if (n % 3 === 0) writeFileSync(`${path}.gz`, gzipSync(text))
      else writeFileSync(path, text)
    }
    expected = await undisturbed({ input, out: join(root, 'thousand.db') })
    deepEqual([expected.rows, expected.dead], [9900, 100])
  })

  for (const [kind, threads] of [
    ['in one thread', []],
    ['on two threads', ['--threads', '2']],
  ] as const) {
    it(`F39: are loaded, with a flat number of files open: ${kind}`, async () => {
      const load = new FaultLoad({ input, out: join(folder, 'out.db') })
      let most = 0
      const { code, stderr } = await load.run([...threads], {
        under: ['sh', '-c', 'ulimit -n 64; exec "$0" "$@"'],
        onStart: (child) => {
          const timer = setInterval(() => {
            try {
              most = Math.max(most, readdirSync(`/proc/${child.pid}/fd`).length)
            } catch {
              // It has ended, or there is no such folder on this system.
            }
          }, 5)
          child.once('exit', () => clearInterval(timer))
        },
      })
      deepEqual([code, stderr], [0, ''])
      ok(most < 64, `${most} descriptors`)
      deepEqual(load.state(), expected)
      await load.finish(expected)
    })
  }
})
