import { equal, notEqual } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ParquetFiles } from './file.ts'
import { parquetEncoder } from './write.ts'

async function fileOf(rows: number): Promise<Uint8Array> {
  const encoder = await parquetEncoder({ id: 'integer' })
  for (const row of Array.from({ length: rows }, (_, id) => ({ id }))) encoder.add(Object.values(row))
  return await encoder.finish()
}

describe('ParquetFiles', () => {
  it('P12: reads the footer of a file once for all of its row groups, and again when it has changed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-footer-'))
    try {
      const path = join(folder, 'a.parquet')
      writeFileSync(path, await fileOf(10))
      const files = new ParquetFiles(1024 * 1024)
      const first = await files.look(path)
      for (let group = 0; group < 3; group += 1) {
        const { handle, file } = await files.open(path)
        equal(file, first)
        await handle.close()
      }
      writeFileSync(path, await fileOf(11))
      const changed = await files.look(path)
      notEqual(changed, first)
      equal(changed.footer.groups[0]?.rows, 11)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('P12: keeps the footers of a few files only', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-footer-'))
    try {
      const files = new ParquetFiles(1024 * 1024)
      const bytes = await fileOf(1)
      const paths = [0, 1, 2, 3, 4].map((n) => join(folder, `${n}.parquet`))
      for (const path of paths) writeFileSync(path, bytes)
      const first = await files.look(paths[0] as string)
      for (const path of paths) await files.look(path)
      notEqual(await files.look(paths[0] as string), first)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
