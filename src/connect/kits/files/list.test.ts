import { deepEqual, equal, rejects } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { link, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type Found, listFiles, splitAtCommas } from './list.ts'

describe('listFiles', () => {
  let folder: string

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-list-')))
  })

  afterEach(() => rm(folder, { recursive: true }))

  const make = (...names: string[]) => Promise.all(names.map((name) => writeFile(join(folder, name), name)))
  const list = (input: string | string[], allowSpecial = false) => listFiles(input, { allowSpecial })
  const namesOf = (found: Found[]) => found.map((one) => (one.kind === 'stdin' ? '-' : basename(one.path)))

  it('gives a file with its absolute path and its size', async () => {
    await make('a.log')
    const [found] = await list(join(folder, 'a.log'))
    deepEqual(found?.kind === 'file' && [found.path, found.sizeBytes], [join(folder, 'a.log'), 5])
  })

  it('sorts by code unit, not by the order of names or of the folder', async () => {
    await make('b.log', 'a.log', 'B.log', 'ä.log', 'a10.log', 'a9.log')
    deepEqual(namesOf(await list(`${folder}/b.log,${folder}/*.log`)), [
      'B.log',
      'a.log',
      'a10.log',
      'a9.log',
      'b.log',
      'ä.log',
    ])
  })

  it('gives a file once that two patterns, a link and a hard link name', async () => {
    await make('a.log')
    await symlink(join(folder, 'a.log'), join(folder, 'b.log'))
    await link(join(folder, 'a.log'), join(folder, 'c.log'))
    equal((await list([join(folder, '*.log'), join(folder, 'a.*')])).length, 1)
  })

  it('takes braces and folders at any depth', async () => {
    await mkdir(join(folder, 'deep', 'er'), { recursive: true })
    await make('a.log', 'b.log', 'c.log', 'deep/d.log', 'deep/er/e.log')
    deepEqual(namesOf(await list(`${folder}/{a,b}.log`)), ['a.log', 'b.log'])
    deepEqual(namesOf(await list(`${folder}/deep/**/*.log`)), ['d.log', 'e.log'])
  })

  it('takes a name that exists for that file, whatever it holds', async () => {
    const names = ['$(touch x).log', '-rf', 'a\nb', 'a,b.log', 'c{1}*.log', '[x].log', ' blank .log']
    await make(...names, 'x.log', 'c.log')
    for (const name of names) deepEqual(namesOf(await list(join(folder, name))), [name])
  })

  it('takes a folder of a glob that exists for that folder, whatever it holds', async () => {
    for (const name of ['logs [prod]', 'a{1}', 'b(2)', 'logs p']) await mkdir(join(folder, name))
    await make('logs [prod]/e.log', 'logs p/other.log', 'a{1}/[f].log', 'b(2)/g.log')
    for (const [glob, found] of [
      ['logs [prod]/*.log', 'e.log'],
      ['logs [[]prod]/*.log', 'e.log'],
      ['logs [abcp]/*.log', 'other.log'],
      ['a{1}/*.log', '[f].log'],
      ['b(2)/*.log', 'g.log'],
    ] as const)
      deepEqual(namesOf(await list(join(folder, glob))), [found], glob)
  })

  it('gives what a glob matches beside a file of that very name', async () => {
    await make('*.log', 'a.log')
    deepEqual(namesOf(await list(join(folder, '*.log'))), ['*.log', 'a.log'])
  })

  it('leaves out folders that a glob matches', async () => {
    await make('a.log')
    await mkdir(join(folder, 'b.log'))
    deepEqual(namesOf(await list(join(folder, '*.log'))), ['a.log'])
  })

  it('puts standard input last', async () => {
    await make('a.log')
    deepEqual(namesOf(await list(['-', join(folder, 'a.log'), '-'])), ['a.log', '-'])
  })

  it('says where it looked for a pattern that matches nothing', async () => {
    await rejects(list(join(folder, '*.gz')), {
      code: 'SOURCE_MISSING',
      message: `Cannot read "${folder}/*.gz": no file in "${folder}" matches`,
    })
  })

  it('says so where there is no such folder', async () => {
    await rejects(list(join(folder, 'gone', '*.gz')), {
      code: 'SOURCE_MISSING',
      message: `Cannot read "${folder}/gone/*.gz": there is no folder "${folder}/gone"`,
    })
  })

  it('says what is wrong with a name that is no UTF-8', async () => {
    await writeFile(Buffer.concat([Buffer.from(join(folder, 'a')), Buffer.from([0xff]), Buffer.from('.log')]), '')
    await rejects(list(join(folder, '*.log')), {
      code: 'SOURCE_UNREADABLE',
      message: `Cannot read "${folder}/a\ufffd.log": its name is not valid UTF-8, rename it or leave it out`,
    })
  })

  it('refuses a pattern that matches nothing even if others match', async () => {
    await make('a.log')
    await rejects(list([join(folder, 'a.log'), join(folder, 'b*.log')]), { code: 'SOURCE_MISSING' })
  })

  it('says which file is missing, on one line', async () => {
    await rejects(list(join(folder, 'no\nsuch.log')), {
      code: 'SOURCE_MISSING',
      message: `Cannot read "${folder}/no\\nsuch.log": there is no such file in "${folder}"`,
    })
  })

  it('refuses a folder that is named', async () => {
    await rejects(list(folder), { code: 'SOURCE_UNREADABLE', message: /it is a directory/ })
  })

  it('refuses a link that leads nowhere', async () => {
    await symlink(join(folder, 'gone'), join(folder, 'a.log'))
    await rejects(list(join(folder, 'a.log')), { code: 'SOURCE_MISSING' })
    await rejects(list(join(folder, '*.log')), { code: 'SOURCE_MISSING' })
  })

  it('refuses links that go round in a circle', async () => {
    await symlink(join(folder, 'b.log'), join(folder, 'a.log'))
    await symlink(join(folder, 'a.log'), join(folder, 'b.log'))
    await rejects(list(join(folder, 'a.log')), {
      code: 'SOURCE_UNREADABLE',
      details: { errno: 'ELOOP', offset: 0, source: join(folder, 'a.log') },
    })
  })

  it('refuses devices and pipes unless they are allowed', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    await rejects(list(pipe), { code: 'SOURCE_UNREADABLE', message: /it is a pipe, not a file/ })
    await rejects(list('/dev/zero'), { code: 'SOURCE_UNREADABLE', message: /it is a device, not a file/ })
    deepEqual(
      (await list(pipe, true)).map((one) => one.kind),
      ['special'],
    )
  })

  it('refuses sockets even if they are', async () => {
    const path = join(folder, 'socket')
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))
    try {
      await rejects(list(path, true), { code: 'SOURCE_UNREADABLE', message: /it is a socket, not a file/ })
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('stops when it is told to', async () => {
    await make('a.log')
    const signal = AbortSignal.abort(new Error('enough'))
    await rejects(listFiles(join(folder, '*.log'), { allowSpecial: false, signal }), { message: 'enough' })
  })
})

describe('splitAtCommas', () => {
  it('leaves commas in braces alone', () => {
    deepEqual(splitAtCommas('a.log, {b,{c,d}}.log,e}'), ['a.log', ' {b,{c,d}}.log', 'e}'])
  })
})
