import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { putParts } from '../testing/put-parts.ts'
import {
  type Batch,
  batchOf,
  batchOfTracked,
  derived,
  joined,
  mapped,
  readOf,
  recordsOf,
  withOwnOrigins,
} from './batch.ts'
import { deadLetter, type Origin, type SourceRecord, type Tracked, tracked } from './origin.ts'

const originOf = (offset: number): Origin => ({ source: 'a.csv', line: offset + 1, offset, raw: `raw ${offset}` })
const tracedOf = (count: number): Tracked<number>[] =>
  Array.from({ length: count }, (_, index) => tracked(index, originOf(index)))
const originsOf = (batch: Batch): (Origin | undefined)[] =>
  Array.from({ length: batch.length }, (_, i) => batch.origin(i))

describe('a batch', () => {
  it('has its events, and their origins where they have some', () => {
    const batch = batchOfTracked(tracedOf(3))
    deepEqual([batch.length, batch.at(1), batch.values(), batch.hasOrigins], [3, 1, [0, 1, 2], true])
    deepEqual(originsOf(batch), [0, 1, 2].map(originOf))
    deepEqual([batchOf(['a']).hasOrigins, batchOf(['a']).origin(0)], [false, undefined])
  })

  it('keeps each value with its origin, however it is sliced, selected, mapped and joined', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('slice'), from: fc.nat(5), to: fc.nat(9) }),
      fc.record({ kind: fc.constant('select'), keep: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }) }),
      fc.record({ kind: fc.constant('map') }),
      fc.record({ kind: fc.constant('join') }),
    )
    fc.assert(
      fc.property(fc.nat(9), fc.array(step, { maxLength: 6 }), (count, steps) => {
        let batch: Batch<number> = batchOfTracked(tracedOf(count))
        let clear = tracedOf(count)
        for (const one of steps) {
          if (one.kind === 'slice' && 'from' in one) {
            batch = batch.slice(one.from, one.to)
            clear = clear.slice(one.from, one.to)
          } else if (one.kind === 'select' && 'keep' in one) {
            const indices = clear.flatMap((_, i) => (one.keep[i % one.keep.length] ? [i] : []))
            batch = batch.select(indices)
            clear = indices.map((i) => clear[i] as Tracked<number>)
          } else if (one.kind === 'map') {
            batch = mapped(
              batch,
              batch.values().map((n) => n + 100),
            )
            clear = clear.map(({ value, origin }) => tracked(value + 100, origin))
          } else {
            batch = joined([batch, batchOfTracked(tracedOf(2)), batch])
            clear = [...clear, ...tracedOf(2), ...clear]
          }
        }
        deepEqual(
          batch.values().map((value, i) => tracked(value, batch.origin(i) as Origin)),
          clear,
        )
      }),
    )
  })

  it('gives each of the events that one became the origin that it has when they are made one by one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { minLength: 1 }), (counts) => {
        const batch = batchOfTracked(tracedOf(counts.length))
        const starts: number[] = []
        const values: number[] = []
        const clear: Tracked<number>[] = []
        for (const [i, count] of counts.entries()) {
          starts.push(values.length)
          const own = Array.from({ length: count }, (_, n) => n)
          values.push(...own)
          putParts(own, originOf(i), clear)
        }
        deepEqual(
          originsOf(derived(batch, values, starts)),
          clear.map(({ origin }) => origin),
        )
      }),
    )
  })

  it('is shared out in the order of the indices, also where all are asked for', () => {
    deepEqual(batchOfTracked(tracedOf(3)).select([2, 0, 1]).values(), [2, 0, 1])
  })

  it('has no origins where one of those it was joined of has none', () => {
    equal(joined([batchOfTracked(tracedOf(1)), batchOf([1])]).hasOrigins, false)
  })

  it('gives each event an origin object of its own, the same one however often it is asked for', () => {
    const shared = originOf(7)
    const made = batchOf(['a', 'b', 'c'], { at: (index) => (index < 2 ? shared : originOf(index)) })
    const own = withOwnOrigins(made)
    const [b, c] = own
      .select([1, 2])
      .values()
      .keys()
      .map((at) => own.select([1, 2]).origin(at))
    deepEqual([own.origin(1) === b, own.origin(2) === c, own.origin(0) === own.origin(1)], [true, true, false])
    deepEqual(originsOf(own), originsOf(made))
    equal(withOwnOrigins(batchOf(['a'])).hasOrigins, false)
  })

  it('tells events and rejected records in the order in which they were read', () => {
    const [a, b] = tracedOf(2) as [Tracked<number>, Tracked<number>]
    const dead = deadLetter(originOf(7), 'csv', 'too long')
    const entries: SourceRecord<number>[] = [dead, a, dead, dead, b, dead]
    deepEqual(recordsOf(readOf(entries)), entries)
    deepEqual(recordsOf(readOf<number>([])), [])
  })
})
