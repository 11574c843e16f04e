import { deepEqual, equal, ok } from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { appendFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from '../support/cli.ts'
import { FaultLoad } from '../support/fault-load.ts'
import { untilHeld } from '../support/progress.ts'
import { RotatingWriter, type RotationKind } from '../support/rotating-writer.ts'
import { randomOf, SEED, times } from '../support/seed.ts'
import { until } from '../support/until.ts'

/** A tail in a process of its own, which is killed and started again. */
class Follower {
  readonly #load: FaultLoad
  #child: ChildProcess | undefined
  #ended: Promise<Outcome> | undefined

  constructor(load: FaultLoad) {
    this.#load = load
  }

  /** Resolves when it holds the pipeline. */
  async start(): Promise<void> {
    this.#ended = this.#load.run([], {
      onStart: (child) => {
        this.#child = child
      },
    })
    if (this.#child !== undefined) await untilHeld(this.#load.store, this.#child)
  }

  async end(signal: NodeJS.Signals): Promise<Outcome | undefined> {
    this.#child?.kill(signal)
    const outcome = await this.#ended
    this.#ended = undefined
    return outcome
  }

  /** The lines that are committed, in order. */
  texts(): unknown[] {
    try {
      const database = new DatabaseSync(this.#load.out, { readOnly: true, timeout: 1000 })
      const rows = database.prepare('select text from lines order by text').all()
      database.close()
      return rows.map(({ text }) => text)
    } catch {
      // The table is yet to be made.
      return []
    }
  }

  /** Waits until so many lines are committed. */
  async until(count: number): Promise<void> {
    let found = 0
    const hasAll = (): boolean => {
      found = this.texts().length
      return found >= count
    }
    await until(hasAll, () => `${count} lines, of which ${found} are there,`)
  }
}

/** What two lists of lines do not have in common. */
function differences(read: readonly unknown[], written: readonly string[]): Record<string, unknown[]> {
  const [there, wanted] = [new Set(read), new Set<unknown>(written)]
  return {
    doubled: read.filter((line, index) => read.indexOf(line) !== index),
    phantom: [...there].filter((line) => !wanted.has(line)),
    lost: written.filter((line) => !there.has(line)),
  }
}

describe(`a log that is rotated while sluice run follows it (REPRO: SEED=${SEED} npm test)`, () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-rotation-')))
  after(() => rmSync(root, { recursive: true, force: true }))
  let turn = 0
  const follow = (): { readonly path: string; readonly follower: Follower; readonly load: FaultLoad } => {
    turn += 1
    const path = join(mkdtempSync(join(root, `${turn}-`)), 'app.log')
    const load = new FaultLoad({ input: path, as: 'tail', out: join(root, `${turn}.db`) })
    return { path, load, follower: new Follower(load) }
  }

  for (const kind of ['rename', 'copy', 'gzip', 'late-gzip'] as const satisfies RotationKind[]) {
    it(`F19: gives every line once: ${kind}, while it reads, while it is down, and killed between`, async () => {
      for (let again = 0; again < times(1); again += 1) {
        const random = randomOf(`${kind} ${again}`)
        const { path, load, follower } = follow()
        const writer = new RotatingWriter(path, random)
        writer.append(300)
        await follower.start()
        await follower.until(1)
        for (let step = 0; step < 6; step += 1) {
          writer.append(1 + Math.floor(random() * 2000))
          // What it had no time to read of this file, it must find under another name.
          if (step % 3 === 2) await follower.end('SIGKILL')
          // It may look, or not, between any two steps.
          for (const _ of writer.rotate(kind)) await sleep(random() * 30)
          writer.append(300)
          if (step % 3 === 2) await follower.start()
        }
        writer.finishLine()
        await follower.until(writer.lines.length)
        // What comes a second time would have come before one line more.
        writer.append(1)
        writer.finishLine()
        await follower.until(writer.lines.length)
        const outcome = await follower.end('SIGTERM')
        equal(outcome?.code, 0, outcome?.stderr)
        deepEqual(differences(follower.texts(), writer.lines), { doubled: [], phantom: [], lost: [] })
        const { totals, rows, dead } = load.state()
        deepEqual({ read: totals.read, rows, dead }, { read: rows, rows: writer.lines.length, dead: 0 })
      }
    })
  }

  it('F21: gives a line that comes by bytes once, when it is whole, also if it is killed in the middle of it', async () => {
    const { path, follower } = follow()
    const lines = ['line 1: a', 'line 2: zoë, 日本, \u{1f600}', '', 'line 3: x']
    writeFileSync(path, '')
    await follower.start()
    let bytes = 0
    let kills = 0
    for (const byte of Buffer.from(`${lines.join('\n')}\n`)) {
      appendFileSync(path, Buffer.of(byte))
      bytes += 1
      // It may look, or not, between any two bytes.
      await sleep(5)
      ok(
        follower.texts().every((text) => lines.includes(String(text))),
        'half a line is not a line',
      )
      if (bytes % 15 !== 0) continue
      await follower.end('SIGKILL')
      kills += 1
      await follower.start()
    }
    await follower.until(3)
    equal((await follower.end('SIGTERM'))?.code, 0)
    deepEqual(
      follower.texts(),
      lines.filter((line) => line !== ''),
    )
    ok(kills >= 2)
  })

  it('F18: reads what is new where its file was cut below what was read, and keeps what was read', async () => {
    const { path, follower } = follow()
    writeFileSync(path, 'line 1 of the first content\nline 2 of the first content\n')
    await follower.start()
    await follower.until(2)
    writeFileSync(path, 'line 3: new\n')
    await follower.until(3)
    const outcome = await follower.end('SIGTERM')
    equal(outcome?.code, 0, outcome?.stderr)
    deepEqual(follower.texts(), ['line 1 of the first content', 'line 2 of the first content', 'line 3: new'])
  })
})
