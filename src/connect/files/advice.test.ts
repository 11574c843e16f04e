import { rejects } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempFolder } from '../../testing/temp-folder.ts'
import { lines } from './lines.ts'
import { parquetSource } from './parquet.ts'

const folder = tempFolder('sluice-advice-')

describe('what the errors of sources advise', () => {
  it('X37: is no option that Parquet does not have, of pipes and standard input', async () => {
    const pipe = join(folder, 'rows.parquet')
    execFileSync('mkfifo', [pipe])
    await rejects(parquetSource(pipe).splits(), /it is a pipe, not a file: write its output to a file first$/)
    await rejects(
      parquetSource('-').splits(),
      /Cannot read "-": it is a stream, not a file: write its output to a file first$/,
    )
    await rejects(lines(pipe).splits(), /allow it with allowSpecial, or read it as standard input with -$/)
  })
})
