import { deepEqual, equal, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFile, copyFile, mkdtemp, realpath, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { TailOptions } from '../src/connect/sources/tail.ts'
import { Tailing } from './support/tailing.ts'

describe('tail', () => {
  let folder: string
  let path: string
  let tailing: Tailing

  const open = (options?: TailOptions, input: string | string[] = path): Tailing => {
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

  it('reads a file anew that was cut and written again, even beyond where it was', async () => {
    open()
    await writeFile(path, 'one\ntwo\n')
    await tailing.read()
    await truncate(path)
    await appendFile(path, 'three\nfour\nfive\n')
    deepEqual(await tailing.settle(), ['three', 'four', 'five'])
    equal(tailing.notes.length >= 1, true)
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
})
