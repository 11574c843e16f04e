import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SeenRow } from '../src/testing/conformance/sink/subject.ts'
import { sinkConformance } from '../src/testing/conformance/sink.ts'
import { other } from './support/other-database.ts'

for (const key of [undefined, ['number']] as const) {
  sinkConformance<SeenRow>({
    name: key === undefined ? 'Q18: a database of another kind' : 'Q18: a database of another kind, by key',
    row: (number, text) => ({ number, text }),
    refused: { number: 'none', text: '' } as unknown as SeenRow,
    isKeyed: key !== undefined,
    locksWhileWriting: true,
    make: () => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-other-'))
      const path = join(folder, 'out')
      const columns = { number: 'integer', text: 'text' } as const
      return {
        sink: other<SeenRow>(path, { table: 't', columns, ...(key === undefined ? {} : { key }) }),
        visible() {
          const database = new DatabaseSync(path)
          const isThere = database.prepare("select 1 from sqlite_schema where name = 't'").get() !== undefined
          const rows = isThere ? database.prepare('select number, text from t').all() : []
          database.close()
          return rows as unknown as SeenRow[]
        },
        close: () => rmSync(folder, { recursive: true }),
      }
    },
  })
}
