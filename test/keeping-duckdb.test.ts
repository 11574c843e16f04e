import { equal, match } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isSluiceError } from '../src/base/errors.ts'
import { Session } from '../src/connect/duckdb/connection.ts'
import { duckdbSink } from '../src/connect/duckdb/sink.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { keepingTests } from './support/keeping.ts'

const folder = tempFolder('sluice-keeping-')
let files = 0

describe('dead letters and checkpoints in DuckDB', () => {
  keepingTests(() => {
    files += 1
    const path = join(folder, `${files}.duckdb`)
    return {
      sink: `duckdbSink(${JSON.stringify(path)}, { table: 't', columns: { n: 'integer' }, key: ['n'] })`,
      names: 'duckdbSink',
      now: String(Date.now()),
      async query(sql) {
        const session = await Session.open(path)
        const rows = await session.all(sql)
        session.close()
        return rows
      },
    }
  })

  it('are not looked for where there is no file, which is not made', async () => {
    const path = join(folder, 'none.duckdb')
    const inspector = await duckdbSink(path, { table: 't' }).inspect?.('numbers')
    equal(await inspector?.checkpoint(), undefined)
    await inspector?.close()
    equal(existsSync(path), false)
  })

  it('F35: are for the process that has the file open: another one is told which that is', async () => {
    const path = join(folder, 'held.duckdb')
    const script = `
      import { duckdbSink } from ${JSON.stringify(new URL('../src/connect/duckdb/sink.ts', import.meta.url).href)}
      await duckdbSink(${JSON.stringify(path)}, { table: 't' }).open({ pipeline: 'numbers' })
      process.stdout.write('open')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--conditions=sluice-source', '--input-type=module', '-e', script])
    await once(child.stdout, 'data')
    const refused = await duckdbSink(path, { table: 't' })
      .inspect?.('numbers')
      .catch((error: unknown) => error)
    child.kill('SIGKILL')
    await once(child, 'exit')
    equal(isSluiceError(refused, 'PIPELINE_HELD'), true)
    match(String(refused), new RegExp(`process ${child.pid} has it open`))
  })
})
