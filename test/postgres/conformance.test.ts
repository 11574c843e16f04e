import { after, before, describe } from 'node:test'
import { postgresSink } from '../../src/connect/postgres/sink.ts'
import type { SeenRow } from '../../src/testing/conformance/sink/subject.ts'
import { sinkConformance } from '../../src/testing/conformance/sink.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'

let server: PostgresServer

describe('the sink for PostgreSQL', { skip: missingPostgres() }, () => {
  before(async () => {
    server = await PostgresServer.start()
  })
  after(() => server.stop())

  for (const key of [undefined, ['number']] as const) {
    const isKeyed = key !== undefined
    sinkConformance<SeenRow>({
      name: isKeyed ? 'PostgreSQL by key' : 'PostgreSQL',
      row: (number, text) => ({ number, text }),
      refused: { number: 'none', text: '' } as unknown as SeenRow,
      isKeyed,
      make: async () => {
        const database = await server.createDatabase()
        const columns = { number: 'integer', text: 'text' } as const
        return {
          sink: postgresSink<SeenRow>(server.url(database), { table: 't', columns, ...(isKeyed ? { key } : {}) }),
          async visible() {
            const rows = await server.query(database, 'select number::int4 as number, text from t')
            return rows as unknown as SeenRow[]
          },
        }
      },
    })
  }
})
