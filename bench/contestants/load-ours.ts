// Loads an access log into SQLite by the pipeline of examples/access-log.ts. Arguments: log, database.

import { rmSync } from 'node:fs'
import { startPipeline } from 'sluice'
import accessLog from '../../examples/access-log.ts'
import { report, takenSoFar } from './measure.ts'
import { tableAnswer } from './table-answer.ts'

const [input = '', db = ''] = process.argv.slice(2)
for (const ending of ['', '-wal', '-shm']) rmSync(`${db}${ending}`, { force: true })

const startMs = performance.now()
const run = await startPipeline(accessLog, { params: new Map(Object.entries({ input, db })) })
await run.done
const [seconds, taken] = [(performance.now() - startMs) / 1000, takenSoFar()]
report(seconds, tableAnswer(db), taken)
