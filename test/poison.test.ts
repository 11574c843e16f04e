import { deepEqual, match } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { type RunEvent, type RunReport, startPipeline } from 'sluice'
import { tempFolder } from '../src/testing/temp-folder.ts'

const JOB = new URL('./jobs/poison.ts', import.meta.url)
const RECORDS = 3000
const AT = 1717

describe('C25: a record that ends a worker', () => {
  const folder = tempFolder('sluice-poison-')
  const input = join(folder, 'in.ndjson')
  writeFileSync(input, Array.from({ length: RECORDS }, (_, id) => `${JSON.stringify({ id })}\n`).join(''))
  let databases = 0

  const load = async (
    params: Readonly<Record<string, string>>,
    options: { readonly threads?: number; readonly maxBatchMs?: number; readonly heapMb?: number },
  ): Promise<{
    readonly report: RunReport
    readonly ids: number
    readonly letters: unknown[]
    readonly retries: string[]
  }> => {
    databases += 1
    const db = join(folder, `${databases}.db`)
    const retries: string[] = []
    const onEvent = (event: RunEvent): void => {
      if (event.kind === 'retrying') retries.push(event.why)
    }
    const all = new Map(Object.entries({ input, db, at: `${AT}`, ...params }))
    const { default: job } = await import('./jobs/poison.ts')
    const run = await startPipeline(options.threads === undefined ? job : JOB, { params: all, onEvent, ...options })
    const report = await run.done
    const database = new DatabaseSync(db, { readOnly: true })
    const ids = Number(database.prepare('select count(*) as n from seen').get()?.n)
    const letters = database.prepare('select line, step, reason from dead_letters').all()
    database.close()
    return { report, ids, letters: letters.map((row) => ({ ...row })), retries }
  }

  const rows = { throw: 'F3, F6', exit: 'F3', 'exit 3': 'F3', memory: 'F4', hang: 'F5' }
  for (const [how, row] of Object.entries(rows)) {
    it(`${row}: is found and becomes a dead letter, all others are loaded: ${how}`, async () => {
      const options = { threads: 2, maxBatchMs: 500, heapMb: 48 }
      const { ids, letters, retries, report } = await load({ how, where: how === 'exit' ? 'head' : 'reduce' }, options)
      deepEqual(ids, RECORDS - 1)
      deepEqual(
        letters.map((letter) => ({ ...(letter as object), reason: '' })),
        [{ line: AT + 1, step: 'worker', reason: '' }],
      )
      match(String((letters[0] as { reason: string }).reason), /Worker 1 of 1/)
      deepEqual(report.overall.dead, 1)
      match(retries[0] ?? '', /Worker \d of 2/)
    })
  }

  it('F6: is a dead letter of its operator where only its function throws', async () => {
    const { ids, letters, retries } = await load({ how: 'throw', where: 'head' }, {})
    deepEqual(ids, RECORDS - 1)
    deepEqual(letters, [{ line: AT + 1, step: 'map 1', reason: 'this one is too much' }])
    deepEqual(retries, [])
  })

  it('F6: is found in this thread, too, where an operator that remembers throws', async () => {
    const { ids, letters } = await load({ how: 'throw' }, {})
    deepEqual(ids, RECORDS - 1)
    deepEqual(letters, [{ line: AT + 1, step: 'worker', reason: 'this one is too much' }])
  })
})
