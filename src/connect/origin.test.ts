import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { putParts } from '../testing/put-parts.ts'
import { fromSource, type Origin, partOf, type Tracked } from './origin.ts'

const record: Origin = { source: 'a.csv', line: 2, offset: 8, raw: '1' }

/** What an event becomes: nothing more, or several events. */
interface Tree {
  readonly into: readonly Tree[]
}

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({ into: fc.oneof({ maxDepth: 4 }, fc.constant([]), fc.array(tie('tree'), { maxLength: 4 })) }),
}))

/** The events at the leaves of a tree. */
function leavesOf({ into }: Tree, origin: Origin): Origin[] {
  if (into.length === 0) return [origin]
  const made: Tracked<Tree>[] = []
  putParts(into, origin, made)
  return made.flatMap((event) => leavesOf(event.value, event.origin))
}

describe('the parts of a record', () => {
  it('C60: are told apart, however often and wherever events become several', () => {
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 3 }), (of, sources) => {
        const parts = Array.from({ length: sources }, (_, number) => {
          const all = leavesOf(of, fromSource(record, number, sources)).map(({ part }) => part)
          for (const part of all) equal((part ?? 0) % sources, number, 'each names its source')
          return all
        }).flat()
        equal(new Set(parts).size, parts.length)
      }),
    )
  })

  it('C60: are 0 for a record that becomes one event at every step', () => {
    const made: Tracked<number>[] = []
    putParts([1], record, made)
    putParts([2], made[0]?.origin ?? record, made)
    deepEqual(
      made.map(({ origin }) => origin),
      [record, record],
    )
  })

  it('C64: of a record that is tried again are those that were refused, and what they become', () => {
    fc.assert(
      fc.property(tree, fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }), (of, chosen) => {
        const all = leavesOf(of, record).map(({ part = 0 }) => part)
        const only = [...new Set(chosen.map((at) => all[at % all.length] as number))]
        const again = leavesOf(of, only.includes(0) ? record : { ...record, only })
        deepEqual(
          again.map(({ part = 0 }) => part),
          all.filter((part) => only.includes(part)),
        )
        for (const origin of again) equal(origin.only, undefined, 'all of it goes on')
      }),
    )
  })

  it('C64: are refused where what was refused is not among them any more', () => {
    const found = 'it now becomes 2 events, and part 3 of it, which was rejected, is not one of them'
    throws(() => putParts(['a', 'b'], { ...record, only: [1, 3] }, []), { name: 'RangeError', message: found })
    equal(putParts(['a'], { ...record, only: [3] }, []), 1)
  })

  it('C60: are refused where there are more than can be told apart', () => {
    const made: unknown[] = []
    const origin = { ...record, part: 5, stride: 2 ** 52 }
    throws(() => putParts(['a', 'b'], origin, made), /^RangeError: a record becomes more events than can be numbered/)
    deepEqual(made, [])
    equal(partOf({ ...record, part: 5, stride: 2 ** 50 }, 1, 2)?.part, 5 + 2 * 2 ** 50)
  })
})
