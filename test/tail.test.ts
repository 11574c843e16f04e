import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import {
  appendFile,
  copyFile,
  mkdtemp,
  open as openFile,
  realpath,
  rename,
  rm,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { TailSourceOptions } from '../src/connect/tail/source.ts'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { Tailing } from './support/tailing.ts'

describe('tail', () => {
  let folder: string
  let path: string
  let tailing: Tailing

  const open = (options?: TailSourceOptions, input: string | string[] = path): Tailing => {
    tailing = new Tailing(input, options)
    return tailing
  }

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-tail-')))
    path = join(folder, 'app.log')
  })

  afterEach(async () => {
    await tailing.stop()
    await rm(folder, { recursive: true })
  })

  it('gives lines as they come', async () => {
    open()
    await writeFile(path, 'a\nb\n')
    deepEqual(await tailing.read(), ['a', 'b'])
    await appendFile(path, 'c\n')
    deepEqual(await tailing.read(), ['c'])
  })

  it('waits for a file that is not there yet', async () => {
    open()
    deepEqual(await tailing.read(), [])
    await writeFile(path, 'a\n')
    deepEqual(await tailing.read(), ['a'])
  })

  it('gives half a line when its end has come', async () => {
    open()
    await writeFile(path, 'a\nhal')
    deepEqual(await tailing.read(), ['a'])
    await appendFile(path, 'f a line')
    deepEqual(await tailing.settle(), [])
    await appendFile(path, '\n')
    deepEqual(await tailing.read(), ['half a line'])
  })

  it('gives the last line of a file without its line end once the file is finished', async () => {
    open()
    await writeFile(path, 'a\nlast')
    await tailing.read()
    await rename(path, `${path}.1`)
    deepEqual(await tailing.settle(), [])
    await writeFile(path, 'b\n')
    deepEqual(await tailing.settle(), ['last', 'b'])
  })

  it('reads the old file to its end before the new one', async () => {
    open()
    await writeFile(path, 'a\n')
    await tailing.read()
    await rename(path, `${path}.1`)
    await writeFile(path, 'c\n')
    await appendFile(`${path}.1`, 'b\n')
    deepEqual(await tailing.settle(), ['b', 'c'])
  })

  it('reads a file again that was cut and written again, even beyond where it was', async () => {
    open()
    await writeFile(path, 'one\ntwo\n')
    await tailing.read()
    await truncate(path)
    await appendFile(path, 'three\nfour\nfive\n')
    deepEqual(await tailing.settle(), ['three', 'four', 'five'])
    equal(tailing.notes.length >= 1, true)
  })

  it('leaves out the hole before what a program writes on that does not append, after its file was cut', async () => {
    open()
    const file = await openFile(path, 'w')
    await file.write('one\ntwo\n')
    await tailing.read()
    await truncate(path)
    await file.write('three\nfour\n')
    deepEqual(await tailing.settle(), ['three', 'four'])
    equal(tailing.entries[2]?.origin.offset, 8)
    await tailing.stop()
    await file.write('five\n')
    await file.close()
    deepEqual(await tailing.settle(), ['five'])
  })

  it('goes on in the compressed file', async () => {
    open()
    await writeFile(path, 'one\ntwo\n')
    await tailing.read(3, 1)
    await tailing.stop()
    await appendFile(path, 'three\n')
    await rename(path, `${path}.1`)
    execFileSync('gzip', [`${path}.1`])
    await writeFile(path, 'four\n')
    deepEqual(await tailing.settle(), ['three', 'four'])
    ok(!JSON.stringify(tailing.position).includes('three'))
  })

  it('goes on in the copy of a file that was cut', async () => {
    open()
    await writeFile(path, 'one\ntwo\n')
    await tailing.read()
    await tailing.stop()
    await appendFile(path, 'three\n')
    await copyFile(path, `${path}.1`)
    await truncate(path)
    await appendFile(path, 'four\n')
    deepEqual(await tailing.settle(), ['three', 'four'])
  })

  it('F19: reads a file once that was copied before anybody saw it', async () => {
    open()
    await tailing.read()
    await writeFile(path, 'this is the first line\n')
    await copyFile(path, `${path}.1`)
    deepEqual(await tailing.settle(), ['this is the first line'])
    await truncate(path)
    await appendFile(path, 'this is the second line\n')
    deepEqual(await tailing.settle(), ['this is the second line'])
  })

  it('F19: reads a line once that was copied half from a file that started over before its turn had come', async () => {
    open({ graceMs: 200 })
    await writeFile(path, 'a line\nand half of one')
    deepEqual(await tailing.read(), ['a line'])
    await rename(path, `${path}.1`)
    await writeFile(path, 'this waits for the half')
    deepEqual(await tailing.read(1), [])
    await writeFile(path, 'this has come in its place')
    await rename(`${path}.1`, `${path}.2`)
    await copyFile(path, `${path}.1`)
    deepEqual(await tailing.read(1), [])
    await appendFile(path, ' since\n')
    deepEqual(await tailing.read(60), ['and half of one', 'this has come in its place since'])
  })

  it('F19: reads a copy before what was written since to its file, of which nothing was read', async () => {
    open()
    await writeFile(path, 'half of the first line')
    deepEqual(await tailing.read(), [])
    await copyFile(path, `${path}.1`)
    deepEqual(await tailing.read(), [])
    await writeFile(path, 'this is the second line\n')
    await rename(`${path}.1`, `${path}.2`)
    await rename(path, `${path}.1`)
    await writeFile(path, 'three\n')
    deepEqual(await tailing.settle(), ['half of the first line', 'this is the second line', 'three'])
  })

  it('F20: reads a file again that another one of the same size has taken the place of, between two runs', async () => {
    open()
    await writeFile(path, 'one\ntwo\n')
    await tailing.read()
    await tailing.stop()
    await writeFile(path, 'six\nten\n')
    deepEqual(await tailing.settle(), ['six', 'ten'])
  })

  it('F20: reads a file again that another one of the same size has taken the place of, while reading', async () => {
    open()
    await writeFile(path, 'one\ntwo\n')
    await tailing.read()
    await writeFile(`${path}.new`, 'six\nten\n')
    await rename(`${path}.new`, path)
    deepEqual(await tailing.settle(), ['six', 'ten'])
  })

  it('F18: reads what is new in a file that was cut below where it was read to, and notes it', async () => {
    open()
    await writeFile(path, 'one\ntwo\nthree\n')
    await tailing.read()
    await writeFile(path, 'four\n')
    deepEqual(await tailing.settle(), ['four'])
    deepEqual(tailing.texts, ['one', 'two', 'three', 'four'])
    match(tailing.notes[0] ?? '', /app\.log" was cut or replaced at byte 14, is now 5 bytes: read as new$/)
  })

  it('F21: gives a line that comes by single bytes once, when it is whole', async () => {
    open()
    await writeFile(path, '')
    for (const char of 'a line\nand another') {
      await appendFile(path, char)
      await tailing.read(1)
    }
    deepEqual(tailing.texts, ['a line'])
    await appendFile(path, '\n')
    deepEqual(await tailing.read(), ['and another'])
  })

  it('begins behind the last whole line if it is told to, and numbers no lines there', async () => {
    await writeFile(path, 'old\nhal')
    open({ from: 'end' })
    deepEqual(await tailing.read(), [])
    await appendFile(path, 'f\nnew\n')
    deepEqual(await tailing.read(), ['half', 'new'])
    deepEqual(tailing.entries[1]?.origin, { source: path, line: 0, offset: 9, raw: 'new' })
  })

  it('reads files from their start that come later, wherever the first ones began', async () => {
    await writeFile(path, 'old\n')
    open({ from: 'end' })
    await tailing.read()
    await rename(path, `${path}.1`)
    await writeFile(path, 'new\n')
    deepEqual(await tailing.settle(), ['new'])
  })

  it('does not read what was rotated away before the first run', async () => {
    await writeFile(`${path}.1`, 'old\n')
    await writeFile(`${path}.2.gz`, gzipSync('older\n'))
    await writeFile(path, 'a\n')
    open()
    deepEqual(await tailing.settle(), ['a'])
    await tailing.stop()
    deepEqual(await tailing.settle(), [])
  })

  it('reads all files that came and went between two runs, in the order of their age', async () => {
    open()
    await writeFile(path, 'a\n')
    await tailing.read()
    await tailing.stop()
    await rename(path, `${path}-20260101`)
    await writeFile(`${path}-20260102`, 'this was the second\n')
    await utimes(`${path}-20260102`, Date.now() / 1000 + 1, Date.now() / 1000 + 1)
    await writeFile(`${path}-20260103.gz`, gzipSync('this was the third\n'))
    await utimes(`${path}-20260103.gz`, Date.now() / 1000 + 2, Date.now() / 1000 + 2)
    await writeFile(path, 'z\n')
    deepEqual(await tailing.settle(), ['this was the second', 'this was the third', 'z'])
  })

  it('numbers the files of one name in their origins', async () => {
    open()
    await writeFile(path, 'a\n')
    await tailing.read()
    await rename(path, `${path}.1`)
    await writeFile(path, 'b\n')
    await tailing.settle()
    deepEqual(
      tailing.entries.map(({ origin }) => `${origin.source}:${origin.line}@${origin.offset}`),
      [`${path}:1@0`, `${path}#2:1@0`],
    )
  })

  it('reads lines on that come to a file after it was finished', async () => {
    open()
    await writeFile(path, 'a\n')
    await tailing.read()
    await rename(path, `${path}.1`)
    await writeFile(path, 'b\n')
    await tailing.settle()
    await appendFile(`${path}.1`, 'late\n')
    deepEqual(await tailing.settle(), ['late'])
  })

  it('reads a file that was deleted to its end', async () => {
    open()
    await writeFile(path, 'a\n')
    await tailing.read()
    await appendFile(path, 'b\n')
    await rm(path)
    await writeFile(path, 'c\n')
    deepEqual(await tailing.settle(), ['b', 'c'])
  })

  it('reads compressed files that are named, each once', async () => {
    await writeFile(`${path}.2.gz`, gzipSync('this is the oldest\n'))
    await writeFile(`${path}.1`, 'this is older\n')
    await writeFile(path, 'this is it\n')
    for (const [file, age] of [
      [`${path}.2.gz`, 20],
      [`${path}.1`, 10],
    ] as const) {
      await utimes(file, Date.now() / 1000 - age, Date.now() / 1000 - age)
    }
    open({}, `${path}*`)
    deepEqual(await tailing.settle(), ['this is the oldest', 'this is older', 'this is it'])
    await tailing.stop()
    deepEqual(await tailing.settle(), [])
  })

  it('makes a dead letter of a compressed file that is broken, and gives none of its lines', async () => {
    open()
    await writeFile(path, 'a line to begin with\n')
    await tailing.read()
    await tailing.stop()
    await rename(path, `${path}.2`)
    const broken = gzipSync(Array.from({ length: 2000 }, (_, i) => `line ${i * 7919}\n`).join(''))
    broken[broken.length - 6] = (broken[broken.length - 6] ?? 0) ^ 1
    await writeFile(`${path}.1.gz`, broken)
    await writeFile(path, 'b\n')
    await tailing.settle()
    const [, letter, after] = tailing.entries
    match(letter?.kind === 'dead' ? letter.reason : '', /app\.log\.1\.gz": incorrect data check/)
    equal(after?.origin.raw, 'b')
    equal(tailing.entries.length, 3)
  })

  it('X37: names no option that it does not have, where a compressed file grows too much', async () => {
    open()
    await writeFile(path, 'a line to begin with\n')
    await tailing.read()
    await tailing.stop()
    await rename(path, `${path}.2`)
    await writeFile(`${path}.1.gz`, gzipSync(Buffer.alloc(17 * 1024 * 1024, 'a')))
    await tailing.settle()
    const [, letter] = tailing.entries
    match(letter?.kind === 'dead' ? letter.reason : '', /over 200 to 1 \(fileSource\(\) has an option for more\)$/)
  })

  it('gives files turns', async () => {
    const other = join(folder, 'other.log')
    await writeFile(path, 'a\n'.repeat(100_000))
    await writeFile(other, 'b\n'.repeat(100_000))
    open({}, [path, other])
    await tailing.start()
    const first = await readEntries(tailing.reader, 200_000)
    const second = await readEntries(tailing.reader, 200_000)
    deepEqual([first?.[0]?.origin.source, second?.[0]?.origin.source], [path, other])
  })

  it('counts lines, blanks and bad bytes of all files', async () => {
    open()
    await writeFile(path, Buffer.from('a\n\n\xff\n', 'latin1'))
    await tailing.read()
    await rename(path, `${path}.1`)
    await writeFile(path, 'b\n \n')
    await tailing.settle()
    deepEqual({ ...tailing.reader.counts }, { read: 5, blank: 2, invalidUtf8: 1 })
    equal(tailing.reader.doneBytes, 9)
  })

  it('makes a dead letter of a line over the limit, whole or not, in bounded memory', async () => {
    open({ maxLineBytes: 2000 })
    await writeFile(path, 'x'.repeat(5000))
    deepEqual(await tailing.read(), [])
    await appendFile(path, `${'x'.repeat(5000)}\nb\n`)
    await tailing.read()
    const [letter, line] = tailing.entries
    equal(letter?.kind === 'dead' ? letter.reason : '', 'line of 10,000 bytes, limit 2,000')
    equal(line?.origin.offset, 10_001)
  })

  it('F39: keeps its position small, and few files open, over 1,000 rotations', async () => {
    open({ maxOpenFiles: 4 })
    const expected: string[] = []
    for (let n = 0; n < 1000; n += 1) {
      const line = `this is the only line of file ${n}`
      expected.push(line)
      await writeFile(path, `${line}\n`)
      await tailing.read(1)
      await rename(path, `${path}.${n}`)
      if (n >= 20) await rm(`${path}.${n - 20}`)
    }
    await tailing.settle()
    deepEqual(tailing.texts.length, 1000)
    deepEqual(tailing.texts, expected)
    const size = JSON.stringify(tailing.position).length
    ok(size < 20_000, `the position has ${size} characters`)
    ok(openIn(folder) <= 4, `${openIn(folder)} files are open`)
    await tailing.stop()
    deepEqual(await tailing.settle(), [])
  })

  it('F39: goes on after 1,000 rotations that it has not seen', async () => {
    open({ maxOpenFiles: 4 })
    await writeFile(path, 'this is the first line\n')
    await tailing.read()
    await tailing.stop()
    const expected: string[] = []
    for (let n = 0; n < 1000; n += 1) {
      expected.push(`this is the only line of file ${n}`)
      await writeFile(`${path}-${100_000 + n}`, `${expected[n]}\n`)
      await utimes(`${path}-${100_000 + n}`, 2e9 + n, 2e9 + n)
    }
    await rename(path, `${path}-1`)
    await writeFile(path, 'the last\n')
    deepEqual(await tailing.settle(), [...expected, 'the last'])
    ok(openIn(folder) <= 4)
  })

  it('follows 200 files with few of them open', async () => {
    const paths = Array.from({ length: 200 }, (_, i) => join(folder, `${i}.log`))
    for (const one of paths) await writeFile(one, `a line of ${one}\n`)
    open({ maxOpenFiles: 3 }, join(folder, '*.log'))
    equal((await tailing.read()).length, 200)
    for (const one of paths) await appendFile(one, `another line of ${one}\nhalf`)
    equal((await tailing.read()).length, 200)
    ok(openIn(folder) <= 3)
    await tailing.stop()
    for (const one of paths) await appendFile(one, ' a line\n')
    deepEqual(new Set(await tailing.read()), new Set(['half a line']))
    equal(tailing.entries.length, 600)
  })
})

/** How many files of a folder this process has open. */
function openIn(folder: string): number {
  const fds = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      // It was the one that the list was read by.
      return ''
    }
  })
  return fds.filter((target) => target.startsWith(folder)).length
}
