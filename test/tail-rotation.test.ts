import { deepEqual, match } from 'node:assert/strict'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ROTATIONS, RotatingWriter, type RotationKind, UNNAMED_ROTATIONS } from './support/rotating-writer.ts'
import { randomOf, SEED, times } from './support/seed.ts'
import { GRACE_MS, POLL_MS, Tailing } from './support/tailing.ts'

/** Of each kind: another number of files may be open in every other one. */
const SCHEDULES = times(3)

interface Schedule {
  readonly kinds: readonly RotationKind[]
  /** How likely the reader is stopped, or started, at a step. */
  readonly restarts: number
  readonly options?: ConstructorParameters<typeof Tailing>[1]
}

/** Writes and rotates, reads and crashes in a random order; gives what was written and what was read. */
async function play(folder: string, random: () => number, schedule: Schedule): Promise<void> {
  const path = join(folder, 'app.log')
  const writer = new RotatingWriter(path, random)
  const tailing = new Tailing(path, schedule.options)
  tailing.isCommitting = false
  let isUp = true
  const readSome = async (): Promise<void> => {
    if (random() < schedule.restarts) {
      if (isUp) await tailing.crash()
      isUp = !isUp
    }
    if (!isUp) return
    await tailing.read(Math.floor(random() * 4), 1 + Math.floor(random() * 20))
    if (tailing.entries.length > 0 && (random() < 0.5 || tailing.position === undefined)) tailing.commit()
  }
  try {
    writer.append(200)
    await tailing.read()
    tailing.commit()
    for (let step = 0; step < 25; step += 1) {
      for (let n = random() * 5; n > 0; n -= 1) {
        writer.append(1 + Math.floor(random() ** 2 * 400))
        await readSome()
      }
      const kind = schedule.kinds[Math.floor(random() * schedule.kinds.length)] ?? 'rename'
      if (random() < 0.6) for (const _ of writer.rotate(kind)) await readSome()
    }
    writer.finishLine()
    await tailing.settle()
    compare(tailing.texts, writer.lines)
    const places = tailing.entries.map(({ origin }) => `${origin.source}@${origin.offset}`)
    deepEqual(new Set(places).size, places.length, 'no two lines have the same origin')
  } finally {
    await tailing.stop()
  }
}

/** Says where two lists part: a whole comparison of long ones takes long. */
function compare(read: readonly string[], written: readonly string[]): void {
  const at = written.findIndex((line, i) => read[i] !== line)
  const around = (lines: readonly string[]): string[] => lines.slice(Math.max(0, at - 2), at + 5)
  if (at !== -1) deepEqual(around(read), around(written), `from line ${at} of ${written.length}`)
  deepEqual(read.length, written.length)
}

describe('tail of a log that is rotated, at random', () => {
  for (const isDown of [false, true]) {
    for (const kinds of [...ROTATIONS.map((kind) => [kind]), ROTATIONS]) {
      const name = kinds.length === 1 ? `${kinds[0]}` : 'all kinds'
      it(`F19: gives every line once and in order: ${name}, ${isDown ? 'with crashes' : 'reading on'}`, async () => {
        for (let n = 0; n < SCHEDULES; n += 1) {
          const random = randomOf(`${name} ${isDown} ${n}`)
          const folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-tail-')))
          const schedule = {
            kinds,
            restarts: isDown ? 0.15 : 0,
            options: { graceMs: GRACE_MS, maxOpenFiles: n % 2 === 0 ? 1 : 4 },
          }
          try {
            await play(folder, random, schedule)
          } catch (thrown) {
            console.error(`REPRO: SEED=${SEED}, schedule ${n} of ${name}`)
            throw thrown
          } finally {
            await rm(folder, { recursive: true })
          }
        }
      })
    }
  }
})

describe('tail of a log that is rotated again and again within the grace time, under names that tell nothing', () => {
  /** Each file is there for one look at least, with what is in it. */
  async function play(path: string, tailing: Tailing, random: () => number, kinds: readonly RotationKind[]) {
    const writer = new RotatingWriter(path, random)
    try {
      writer.append(200)
      await tailing.read(1)
      for (let step = 0; step < 25; step += 1) {
        writer.append(1 + Math.floor(random() * 300))
        await tailing.read(1 + Math.floor(random() * 2), 1 + Math.floor(random() * 20))
        if (random() < 0.5) writer.append(1 + Math.floor(random() * 300))
        const kind = kinds[Math.floor(random() * kinds.length)] as RotationKind
        for (const _ of writer.rotate(kind)) if (random() < 0.3) await tailing.read(0)
        // An empty file that is taken away at once was never seen.
        writer.append(20)
        await tailing.read(1)
      }
      writer.finishLine()
      // Each waits in its turn for the grace time.
      await tailing.read((30 * 5 * GRACE_MS) / POLL_MS)
    } finally {
      await tailing.stop()
    }
    return writer.lines
  }

  const inFolder = async (use: (path: string) => Promise<void>): Promise<void> => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-tail-')))
    try {
      await use(join(folder, 'app.log'))
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  for (const kinds of [...UNNAMED_ROTATIONS.map((kind) => [kind]), [...UNNAMED_ROTATIONS, 'rename' as const]]) {
    it(`F47: gives every line once and in order: ${kinds.join(', ')}`, async () => {
      for (let n = 0; n < SCHEDULES; n += 1) {
        await inFolder(async (path) => {
          const tailing = new Tailing(path, { graceMs: 5 * GRACE_MS, maxOpenFiles: 64 })
          const written = await play(path, tailing, randomOf(`${kinds} ${n}`), kinds)
          compare(tailing.texts.toSorted(), written.toSorted())
          compare(tailing.texts, written)
          deepEqual(
            tailing.notes.filter((note) => note.includes('is gone')),
            [],
          )
        })
      }
    })
  }

  it('F47: says what was lost where fewer files may be open than wait', async () => {
    await inFolder(async (path) => {
      const tailing = new Tailing(path, { graceMs: 5 * GRACE_MS, maxOpenFiles: 2 })
      const written = await play(path, tailing, randomOf('few'), ['remove'])
      const lost = written.length - tailing.texts.length
      deepEqual(lost > 0, true, 'files were held that could not be')
      match(tailing.notes.join('\n'), /"[^"]*app\.log" is gone: none of its \d+ bytes was read/)
    })
  })
})
