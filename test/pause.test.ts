import { deepEqual, equal, ok } from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { type Outcome, sluice } from './support/cli.ts'
import { Job } from './support/job.ts'
import { LINES } from './support/paused-lines.ts'
import { ROOT } from './support/project.ts'
import { until } from './support/until.ts'
import { answerOf } from './support/watched.ts'

const PROGRAM = join(ROOT, 'test', 'jobs', 'paused.ts')
const TEXT = Array.from({ length: LINES }, (_, n) => `line ${n}\n`).join('')

const root = mkdtempSync(join(tmpdir(), 'sluice-pause-'))
after(() => rmSync(root, { recursive: true, force: true }))

interface Paused {
  readonly child: ChildProcess
  readonly database: string
  /** What it has said. */
  readonly said: () => string
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>
}

/** A program whose run is paused by now. */
async function paused(kind: string, when = 'once something is committed'): Promise<Paused> {
  const folder = mkdtempSync(join(root, `${kind}-`))
  writeFileSync(join(folder, 'lines.log'), TEXT)
  const child = spawn(process.execPath, ['--conditions=sluice-source', PROGRAM, kind, folder, when], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const run = { child, database: join(folder, 'out.db'), said: () => text, ended }
  await until(() => text.includes('paused\n') || child.exitCode !== null, 'the pause')
  return run
}

/** A number out of a database that another process writes. */
function numberOf(database: string, sql: string): number {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    db.exec('pragma busy_timeout = 5000')
    return Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0)
  } finally {
    db.close()
  }
}

const rowsOf = (database: string): number => numberOf(database, 'select count(*) from lines')

/** Resolves once its lease was renewed twice, or it has ended. */
async function renewedTwice(database: string, child: ChildProcess): Promise<void> {
  const renewed = (): number => numberOf(database, 'select renewed from sluice_leases')
  for (let times = 0, last = renewed(); times < 2 && child.exitCode === null; times += 1) {
    await until(() => renewed() !== last || child.exitCode !== null, 'another renewal')
    last = renewed()
  }
}

describe('a run in one thread that is paused', { concurrency: 2 }, () => {
  for (const kind of ['files', 'values', 'waiting']) {
    it(`C90: keeps its process and its lease, and goes on to its end (${kind})`, async () => {
      const { child, database, said, ended } = await paused(kind)
      await renewedTwice(database, child)
      equal(child.exitCode, null)
      ok(rowsOf(database) < LINES)
      child.kill('SIGUSR2')
      deepEqual([await ended, said()], [0, 'paused\nfinished\n'])
      equal(rowsOf(database), LINES)
    })
  }

  for (const kind of ['tail', 'ticks']) {
    it(`C90: keeps its process and its lease, and goes on without an end (${kind})`, async () => {
      const { child, database, said, ended } = await paused(kind)
      await renewedTwice(database, child)
      equal(child.exitCode, null)
      const rows = rowsOf(database)
      child.kill('SIGUSR2')
      await until(() => rowsOf(database) > rows, 'more rows')
      child.kill('SIGTERM')
      deepEqual([await ended, said()], [0, 'paused\ndrained\n'])
    })
  }

  for (const kind of ['files', 'tail']) {
    it(`C90: keeps its process when it is paused before anything is read (${kind})`, async () => {
      const { child, database, ended } = await paused(kind, 'at once')
      await renewedTwice(database, child)
      deepEqual([child.exitCode, rowsOf(database)], [null, 0])
      child.kill('SIGUSR2')
      if (kind === 'tail') {
        await until(() => rowsOf(database) === LINES, 'all rows')
        child.kill('SIGTERM')
      }
      deepEqual([await ended, rowsOf(database)], [0, LINES])
    })
  }

  it('C90: can be drained, and aborted', async () => {
    const [drained, aborted] = [await paused('files'), await paused('tail')]
    drained.child.kill('SIGTERM')
    aborted.child.kill('SIGHUP')
    deepEqual([await drained.ended, drained.said()], [0, 'paused\ndrained\n'])
    deepEqual([await aborted.ended, aborted.said()], [0, 'paused\naborted\n'])
  })
})

describe('sluice run, paused on its dashboard', { concurrency: 2 }, () => {
  const CODE = `export default pipeline('followed', {
    from: () => tailSource('a.log', textLines(), { pollMs: 20 }),
    flow: (lines) => lines.map((text) => ({ text })),
    into: () => sqliteSink('out.db', { table: 'lines', columns: { text: 'text' } }),
  })`

  /** Runs it, pauses it once it has loaded what is there, and has `look` do the rest. */
  async function run(look: (post: (what: string) => Promise<void>, child: ChildProcess, job: Job) => Promise<void>) {
    using job = new Job('pipeline, sqliteSink, tailSource, textLines', CODE)
    job.write('a.log', 'a\nb\n')
    const database = job.path('out.db')
    let looked: Promise<void> | undefined
    const outcome: Outcome = await sluice(['run', job.file, '--dashboard=0'], {
      cwd: job.folder,
      onStart: (child) => {
        let said = ''
        child.stderr?.on('data', (text: string) => {
          said += text
          const [, url] = /dashboard: (http:\S+)\n/.exec(said) ?? []
          if (url === undefined || looked !== undefined) return
          looked = (async () => {
            const { changeToken } = JSON.parse((await answerOf(`${url}/api/session`)).body)
            const headers = { 'content-type': 'application/json', 'x-sluice-token': changeToken }
            const post = async (what: string): Promise<void> => {
              const { status, body } = await answerOf(`${url}/api/${what}`, { method: 'POST', headers, body: '{}' })
              equal(status, 200, body)
            }
            await until(() => existsSync(database) && rowsOrNone(database) === 2, 'two rows')
            await post('pause')
            appendFileSync(job.path('a.log'), 'c\n')
            await look(post, child, job)
          })()
          looked.catch(() => child.kill('SIGKILL'))
        })
      },
    })
    await looked
    return outcome
  }

  function rowsOrNone(database: string): number {
    try {
      return rowsOf(database)
    } catch {
      return 0 // The table is not there yet.
    }
  }

  it('C90: takes what was written meanwhile once it is resumed', async () => {
    const { code } = await run(async (post, child, job) => {
      await renewed(job)
      equal(child.exitCode, null)
      equal(rowsOf(job.path('out.db')), 2)
      await post('resume')
      await until(() => rowsOf(job.path('out.db')) === 3, 'three rows')
      child.kill('SIGTERM')
    })
    equal(code, 0)
  })

  it('C90: ends on SIGTERM and on SIGINT', async () => {
    equal((await run(async (_, child) => void child.kill('SIGTERM'))).code, 0)
    equal((await run(async (_, child) => void child.kill('SIGINT'))).code, 130)
  })

  /** Until its lease has been renewed: the file is looked at meanwhile, and the process has nothing to do. */
  async function renewed(job: Job): Promise<void> {
    const at = (): number => numberOf(job.path('out.db'), 'select renewed from sluice_leases')
    const before = at()
    await until(() => at() !== before, 'another count')
  }
})
