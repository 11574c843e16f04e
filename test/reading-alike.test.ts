import { deepEqual, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readOf } from '../src/connect/batch.ts'
import { deadLetter, type SourceRecord, tracked } from '../src/connect/origin.ts'
import { collect, flow, pipeline, type Source, startPipeline } from '../src/index.ts'
import { MemoryTable } from '../src/testing/conformance/executor/table.ts'

const RECORDS = 5000

/** Numbers of which each seventh cannot be read; and what its reader was asked for, and told. */
function numbers(): { readonly source: Source<number>; readonly asked: number[]; readonly told: (number | string)[] } {
  const asked: number[] = []
  const told: (number | string)[] = []
  const source: Source<number> = {
    kind: 'numbers',
    title: 'numbers',
    needsAck: true,
    splits: async () => [{ id: 'all' }],
    open: async () => {
      let at = 0
      const counts = { read: 0, blank: 0, invalidUtf8: 0 }
      const next = (): SourceRecord<number> => {
        const origin = { source: 'all', line: at + 1, offset: at, raw: `${at}` }
        at += 1
        counts.read += 1
        return at % 7 === 0 ? deadLetter(origin, 'numbers', `${at} is refused`) : tracked(at, origin)
      }
      return {
        counts,
        doneBytes: 0,
        read: (max) => {
          asked.push(max)
          const entries = Array.from({ length: Math.min(max, 700, RECORDS - at) }, next)
          return entries.length === 0 ? undefined : readOf(entries)
        },
        position: () => at,
        acknowledge: (position) => void told.push(position as number),
        close: async () => void told.push('closed'),
      }
    },
  }
  return { source, asked, told }
}

describe('flows and pipelines', () => {
  it('R30: read in the same way: at least one record at a time, what could not be read in its place among the others', async () => {
    const own = numbers()
    const refused: string[] = []
    const found = await collect(flow(own.source), { onDead: ({ reason }) => void refused.push(reason) })
    const loaded = numbers()
    const table = new MemoryTable()
    const job = pipeline('numbers', { from: () => loaded.source, into: () => table.sink as never })
    await (await startPipeline(job)).done
    const all = Array.from({ length: RECORDS }, (_, at) => at + 1)
    deepEqual(
      found,
      all.filter((n) => n % 7 !== 0),
    )
    deepEqual(table.rows, found)
    deepEqual(
      refused,
      all.filter((n) => n % 7 === 0).map((n) => `${n} is refused`),
    )
    deepEqual(
      table.letters.map(({ reason }) => reason),
      refused,
    )
    ok([...own.asked, ...loaded.asked].every((max) => max >= 1))
  })

  it('C53: a flow tells who sends of each record once it has left the stage that read it, and closes then', async () => {
    const { source, told } = numbers()
    await collect(flow(source), { onDead: () => {} })
    const positions = told.filter((one) => typeof one === 'number')
    deepEqual(
      positions,
      [...positions].sort((a, b) => a - b),
    )
    deepEqual(told.slice(-2), [RECORDS, 'closed'])
    ok(positions.length >= RECORDS / 700)
  })
})
