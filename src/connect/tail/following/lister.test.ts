import { deepEqual, equal } from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Lister, originalOf } from './lister.ts'

describe('originalOf', () => {
  const names = new Set(['/log/app.log', '/log/app'])
  const cases: readonly (readonly [path: string, name: string | undefined])[] = [
    ['/log/app.log.1', '/log/app.log'],
    ['/log/app.log.12.gz', '/log/app.log'],
    ['/log/app.log-20260101', '/log/app.log'],
    ['/log/app.log-20260101-120000.gz', '/log/app.log'],
    ['/log/app.log.2026-01-01T12:00:00.zst', '/log/app.log'],
    ['/log/app.log.gz', '/log/app.log'],
    ['/log/app.log.old', '/log/app.log'],
    ['/log/app-1', '/log/app'],
    ['/log/app.log', undefined],
    ['/log/app.log.1.bz2', undefined],
    ['/log/app.log.1~', undefined],
    ['/log/app.log.swp', undefined],
    ['/log/app.log1', undefined],
    ['/log/app-error.log', undefined],
    ['/log/other.log.1', undefined],
  ]
  for (const [path, name] of cases) {
    it(`${name === undefined ? 'takes nothing for the original of' : `takes ${name} for the original of`} ${path}`, () => {
      equal(originalOf(path, names), name)
    })
  }
})

describe('Lister', () => {
  let folder: string

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-lister-')))
  })

  afterEach(() => rm(folder, { recursive: true }))

  const look = async (live: string[], rotated?: string[], names: string[] = []): Promise<string[]> => {
    const stats = await new Lister({ live, rotated, folder }).look(names)
    const short = (path: string): string => path.slice(folder.length + 1)
    return stats.map(({ path, name, isLive }) => `${short(path)} of ${short(name)}${isLive ? '' : ', rotated'}`)
  }

  it('sees what is named, and what was rotated beside it', async () => {
    for (const name of ['app.log', 'app.log.1', 'app.log.2.gz', 'app.log.bz2', 'error.log']) {
      await writeFile(join(folder, name), '')
    }
    deepEqual(await look(['app.log']), [
      'app.log of app.log',
      'app.log.1 of app.log, rotated',
      'app.log.2.gz of app.log, rotated',
    ])
  })

  it('sees what was rotated of a name under which nothing stands', async () => {
    await writeFile(join(folder, 'app.log.1'), '')
    deepEqual(await look(['app.log']), ['app.log.1 of app.log, rotated'])
    deepEqual(await look(['*.log'], undefined, [join(folder, 'app.log')]), ['app.log.1 of app.log, rotated'])
  })

  it('takes rotated files that are named, too, for files of their original', async () => {
    for (const name of ['app.log', 'app.log.1']) await writeFile(join(folder, name), '')
    deepEqual(await look(['app*']), ['app.log of app.log', 'app.log.1 of app.log'])
  })

  it('sees rotated files by globs of their own', async () => {
    await mkdir(join(folder, 'old'))
    await writeFile(join(folder, 'app.log'), '')
    await writeFile(join(folder, 'old', 'app-1.log'), '')
    deepEqual(await look(['app.log'], ['old/app-*.log']), ['app.log of app.log', 'old/app-1.log of app.log, rotated'])
  })

  it('sees rotated files where a link leads', async () => {
    await mkdir(join(folder, 'pod'))
    await writeFile(join(folder, 'pod', '0.log'), '')
    await writeFile(join(folder, 'pod', '0.log.20260101-120000'), '')
    await symlink('pod/0.log', join(folder, 'app.log'))
    deepEqual(await look(['app.log']), ['app.log of app.log', 'pod/0.log.20260101-120000 of app.log, rotated'])
  })

  it('takes a name for what it is, whatever characters it holds', async () => {
    await writeFile(join(folder, '[a].log'), '')
    deepEqual(await look(['[a].log']), ['[a].log of [a].log'])
  })

  it('sees no folders and pipes', async () => {
    await mkdir(join(folder, 'a.log'))
    deepEqual(await look(['*.log']), [])
  })
})
