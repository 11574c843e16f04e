import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { isSluiceError } from '../../base/errors.ts'
import { readEntries } from '../../testing/conformance/reading.ts'
import type { SplitReader } from '../source.ts'
import { type TailSourceOptions, tailSource } from './source.ts'

const lines = { name: 'lines', open: () => (text: string) => text }

/** Waits that nobody would sit out: what ends before them was ended. */
const LONG = { pollMs: 600_000 }

describe('tail', () => {
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-tail-')))
    path = join(folder, 'app.log')
  })

  afterEach(() => rm(folder, { recursive: true }))

  const open = async (options: TailSourceOptions = LONG, signal?: AbortSignal): Promise<SplitReader<string>> => {
    const source = tailSource(path, lines, options)
    const [split] = await source.splits()
    return await source.open(split ?? { id: '' }, undefined, signal === undefined ? {} : { signal })
  }

  it('is one split for all its files, the same in every run', async () => {
    const source = tailSource([join(folder, '*.log'), path], lines)
    deepEqual(await source.splits(), [{ id: `tail:${join(folder, '*.log')},${path}` }])
    equal(source.isUnbounded, true)
  })

  it('ends a read that waits at once when it is aborted, with its reason', async () => {
    const abort = new AbortController()
    const reader = await open(LONG, abort.signal)
    const read = Promise.resolve(reader.read(1))
    const reason = new Error('enough')
    setImmediate(() => abort.abort(reason))
    await rejects(read, reason)
    throws(() => reader.read(1), reason)
    await reader.close()
  })

  it('ends a read that waits at once when it is closed', async () => {
    const reader = await open()
    const read = reader.read(1)
    await reader.close()
    equal(await read, undefined)
    await reader.close()
  })

  it('refuses to open when it is aborted already', async () => {
    const reason = new Error('enough')
    await rejects(open(LONG, AbortSignal.abort(reason)), reason)
  })

  it('gives what is at hand without waiting, and no more than was asked', async () => {
    await writeFile(path, 'a\nb\nc\n')
    const reader = await open()
    const first = await readEntries(reader, 2)
    deepEqual(
      first?.map(({ origin }) => origin.raw),
      ['a', 'b'],
    )
    const second = reader.read(2)
    deepEqual(second instanceof Promise ? undefined : second?.events.origin(0)?.raw, 'c')
    await reader.close()
  })

  it('has a position that is that of what was given, however far it has read', async () => {
    await writeFile(path, 'a\nb\nc\n')
    const reader = await open()
    await readEntries(reader, 1)
    const position = reader.position() as { followed: { offset: number; line: number }[] }
    deepEqual(
      position.followed.map(({ offset, line }) => [offset, line]),
      [[2, 2]],
    )
    await reader.close()
  })

  it('refuses a folder that is not there, and names that are no files', async () => {
    const missing = tailSource(join(folder, 'no', 'a.log'), lines)
    await rejects(missing.splits(), (error) => isSluiceError(error, 'SOURCE_MISSING'))
    await mkdir(path)
    await rejects(tailSource(path, lines).splits(), (error) => isSluiceError(error, 'SOURCE_UNREADABLE'))
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    await rejects(tailSource(pipe, lines).splits(), /Cannot follow ".*pipe": it is a pipe, not a file$/)
  })

  it('refuses the position of another source', async () => {
    const source = tailSource(path, lines)
    const opened = source.open({ id: `tail:${path}` }, { encoding: 'plain' })
    await rejects(opened, (error) => isSluiceError(error, 'POSITION_LOST'))
  })

  it('refuses no names, and standard input', () => {
    throws(
      () => tailSource(' , ', lines),
      (error) => isSluiceError(error, 'CONFIG_INVALID'),
    )
    throws(() => tailSource('-', lines), /read it with fileSource/)
    throws(() => tailSource(7 as unknown as string, lines), TypeError)
  })

  it('refuses options that there are not, or out of their bounds', () => {
    throws(() => tailSource(path, lines, { polMs: 1 } as TailSourceOptions), /tailSource has no option polMs/)
    throws(() => tailSource(path, lines, { from: 'middle' as 'end' }), RangeError)
    throws(() => tailSource(path, lines, { pollMs: 0 }), RangeError)
    throws(() => tailSource(path, lines, { maxOpenFiles: 0 }), RangeError)
  })

  it('waits where no descriptor is free, and reads everything once there is (F39)', () => {
    const script = `
      import { closeSync, openSync, writeFileSync, appendFileSync } from 'node:fs'
      import { tailSource } from ${JSON.stringify(join(import.meta.dirname, 'source.ts'))}
      const paths = Array.from({ length: 100 }, (_, i) => ${JSON.stringify(folder)} + '/' + i + '.log')
      for (const path of paths) writeFileSync(path, 'one\\n')
      const notes = []
      const source = tailSource(${JSON.stringify(join(folder, '*.log'))}, { name: 'lines', open: () => (text) => text }, { pollMs: 5 })
      const [split] = await source.splits()
      const taken = []
      const onNote = (note) => {
        notes.push(note)
        for (const fd of taken.splice(0)) closeSync(fd)
      }
      const reader = await source.open(split, undefined, { onNote })
      try { for (;;) taken.push(openSync('/dev/null')) } catch {}
      let read = 0
      while (read < 100) read += (await reader.read(1000)).events.length
      for (const path of paths) appendFileSync(path, 'two\\n')
      while (read < 200) read += (await reader.read(1000)).events.length
      await reader.close()
      console.log(read, notes[0])
    `
    const node = [process.execPath, '--conditions=sluice-source', '--input-type=module', '-e', script]
    const out = execFileSync('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    match(out, /^200 waiting for a file descriptor \(EMFILE\)/)
  })
})
