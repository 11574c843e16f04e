import { throws } from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempFolder } from '../../../testing/temp-folder.ts'
import { openDatabase } from './open-file.ts'

describe('openDatabase', () => {
  const folder = tempFolder('sluice-database-')

  it('says what is in the way, whatever it is', () => {
    mkdirSync(join(folder, 'a'))
    symlinkSync('round', join(folder, 'round'))
    const ways: Readonly<Record<string, string>> = {
      'gone/out.db': `there is no folder "${folder}/gone" (ENOENT)`,
      a: 'it is a folder (EISDIR)',
      round: 'the system does not say what is there (ELOOP)',
      'round/out.db': 'the system does not say what is there (ELOOP)',
      [`${'long'.repeat(64)}.db`]: 'the system does not say what is there (ENAMETOOLONG)',
    }
    for (const [name, found] of Object.entries(ways)) {
      const path = join(folder, name)
      throws(() => openDatabase(path), { code: 'STORAGE_FAILED', message: `Cannot open "${path}": ${found}` })
    }
  })

  it('says that it may not look', { skip: process.getuid?.() !== 0 && 'only root can become somebody else' }, () => {
    const path = join(folder, 'b', 'out.db')
    mkdirSync(join(folder, 'b'), { mode: 0o700 })
    process.seteuid?.(65534)
    try {
      throws(() => openDatabase(path), { code: 'STORAGE_FAILED', message: /: permission denied \(EACCES\)$/ })
    } finally {
      process.seteuid?.(0)
    }
  })
})
