import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { deadLetter, type Entry, type Origin, traced } from '../connect/origin.ts'
import { Flow } from './flow.ts'
import { Kernel } from './kernel.ts'

const originOf = (line: number): Origin => ({ source: 'a.log', line, offset: line * 10, raw: `raw ${line}` })
const entriesOf = (values: readonly unknown[]): Entry<unknown>[] =>
  values.map((value, index) => traced(value, originOf(index + 1)))
const show = (entries: readonly Entry<unknown>[]): unknown[] =>
  entries.map((entry) => (entry.kind === 'event' ? entry.value : `${entry.step}: ${entry.reason}`))

describe('Kernel', () => {
  it('makes a dead letter of an event whose function throws, and lets the others go on', async () => {
    const kernel = new Kernel(
      new Flow<number>().map(
        (n) => {
          if (n === 2) throw new RangeError('two is too many')
          return n * 10
        },
        { name: 'tenfold' },
      ).plan,
    )
    const out = await kernel.run(entriesOf([1, 2, 3]))
    deepEqual(show(out), [10, 'tenfold: two is too many', 30])
    equal(out[1]?.origin.raw, 'raw 2')
  })

  it('passes dead letters on, in their places, through every operator', async () => {
    const letter = deadLetter(originOf(9), 'access-log', 'no host')
    const flow = new Flow<number>()
      .map((n) => n + 1)
      .filter((n) => n > 0)
      .flatMap((n) => [n, n])
      .validate(z.number())
    const out = await new Kernel(flow.plan).run([letter, ...entriesOf([1])])
    deepEqual(show(out), ['access-log: no host', 2, 2])
  })

  it('names the place in a value that a schema refuses', async () => {
    const schema = z.object({ status: z.number().max(599) })
    const out = await new Kernel(new Flow<{ status: number }>().validate(schema).plan).run(
      entriesOf([{ status: 200 }, { status: 999 }]),
    )
    equal(out[0]?.kind, 'event')
    deepEqual(show(out).slice(1), ['validate 1: status: Too big: expected number to be <=599'])
  })

  it('waits for a schema that waits, and keeps the order', async () => {
    const schema = z.number().refine(async (n) => n !== 2, 'not two')
    const out = await new Kernel(new Flow<number>().validate(schema).map((n) => n * 2).plan).run(entriesOf([1, 2, 3]))
    deepEqual(show(out), [2, 'validate 1: not two', 6])
  })

  it('gives nothing of an event whose iterator throws half-way', async () => {
    const flow = new Flow<number>().flatMap(function* halfway(n) {
      yield n
      if (n === 1) throw new Error('broke')
      yield n
    })
    deepEqual(show(await new Kernel(flow.plan).run(entriesOf([1, 2]))), ['halfway: broke', 2, 2])
  })

  it('accounts for every event: in + derived = out + filtered', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('filter' as const), by: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant('flatMap' as const), by: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ kind: fc.constant('throw' as const), by: fc.integer({ min: 2, max: 5 }) }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        async (steps, values) => {
          let flow = new Flow<number>()
          for (const { kind, by } of steps) {
            if (kind === 'filter') flow = flow.filter((n) => n % by !== 0)
            else if (kind === 'flatMap') flow = flow.flatMap((n) => Array.from({ length: by }, () => n))
            else {
              flow = flow.map((n) => {
                if (n % by === 0) throw new Error('multiple')
                return n
              })
            }
          }
          const kernel = new Kernel(flow.plan)
          const out = await kernel.run(entriesOf(values))
          equal(values.length + kernel.counts.derived, out.length + kernel.counts.filtered)
        },
      ),
    )
  })
})
