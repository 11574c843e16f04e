import { deepEqual, equal, match } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { valuesSource } from '../../connect/memory/values.ts'
import { tempFolder } from '../temp-folder.ts'
import { Calls } from './calls.ts'
import { MemoryStore } from './sink/memory.ts'
import { sinkRules } from './sink.ts'

describe('a failure of a conformance suite', () => {
  it('U10: names the rule, what was expected, and the last calls with their place', async () => {
    const folder = tempFolder('sluice-own-source-')
    const file = join(folder, 'own.test.ts')
    const door = (name: string) => JSON.stringify(import.meta.resolve(name))
    writeFileSync(
      file,
      `import { valuesSource } from ${door('sluice')}
import { sourceConformance } from ${door('sluice/testing')}
const make = () => {
  const source = valuesSource([1, 2, 3])
  return { source: { ...source, open: (split, from) => source.open(split, Array.isArray(from?.strange) ? undefined : from) }, expected: [1, 2, 3] }
}
sourceConformance({ name: 'own', make })`,
    )
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { stdout } = spawnSync(process.execPath, ['--conditions=sluice-source', '--test', file], {
      encoding: 'utf8',
      env,
    })
    match(stdout, /open rejects a position that is not one of its own with POSITION_LOST/)
    match(
      stdout,
      /rule: rejects a foreign position\n\s+last calls:\n\s+source\.splits\(\)\n\s+source\.open\({ id: "values" }, { strange: 1 of an array }\)/,
    )
    match(stdout, /open itself rejects with the reason of a signal that is already aborted/)
    match(stdout, /source\.open\({ id: "values" }, undefined, { signal: an aborted signal }\)/)
  })

  it('U10: names the calls of a sink and its writer', async () => {
    const subject = {
      name: 'broken',
      row: (number: number, text: string) => ({ number, text }),
      isKeyed: true,
      make: () => {
        const store = new MemoryStore({ faults: { losesTotals: true } })
        return { sink: store.sink, visible: () => store.rows }
      },
    }
    const messages: string[] = []
    for (const { check } of sinkRules(subject)) await check().catch((error: Error) => messages.push(error.message))
    match(messages.join('\n'), /rule: .*\n {2}last calls:[\s\S]*\n {4}writer\.commit\(/u)
  })

  it('U10: notes the last four calls, and passes everything on', async () => {
    const calls = new Calls()
    const source = calls.of('source', valuesSource([1, 2]))
    equal(source.title, 'values')
    const [split] = await source.splits()
    const reader = await source.open(split as never, undefined)
    for (let reads = 0; reads < 3; reads += 1) await reader.read(1)
    equal(reader.position(), 2)
    const failed = await calls.under('a rule', () => equal(1, 2)).catch((error: Error) => error)
    const [, told = ''] = (failed as Error).message.split('last calls:\n')
    deepEqual(
      told.split('\n').map((line) => line.trim()),
      ['reader.read(1)', 'reader.read(1)', 'reader.read(1)', 'reader.position()'],
    )
    await reader.close()
  })
})
