// Calls that take their time, one after the other: long enough to be stopped.

import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { param, pipeline, sqliteSink, valuesSource } from 'sluice'

export default pipeline('slow', {
  params: { db: param.string('out.db'), marker: param.string('', 'a file that says that it has begun') },
  from: () => valuesSource(Array.from({ length: 10_000 }, (_, id) => ({ id }))),
  flow: (rows, { marker }) =>
    rows.mapAsync(
      async (row) => {
        writeFileSync(marker, '')
        await sleep(100)
        return row
      },
      { concurrency: 1 },
    ),
  into: ({ db }) => sqliteSink(db, { table: 'slow', key: ['id'] }),
})
