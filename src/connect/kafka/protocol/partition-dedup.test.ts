import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PartitionDedup, recordId } from './partition-dedup.ts'

const ids = (partition: number, ...offsets: number[]) => offsets.map((offset) => recordId({ partition, offset }))

describe('PartitionDedup', () => {
  const received = (known: PartitionDedup, partition: number, ...offsets: number[]) => {
    for (const id of ids(partition, ...offsets)) known.received(id)
  }

  it('tells records that come again from new ones, by partition', () => {
    const known = new PartitionDedup({ '0': 5, '1': 100 })
    deepEqual(
      [...ids(0, 4, 5), ...ids(1, 99, 100)].map((id) => known.classify(id, true)),
      ['committed', 'new', 'committed', 'new'],
    )
    received(known, 0, 5, 6)
    known.given(ids(0, 5))
    known.acknowledged(ids(0, 5))
    deepEqual(
      ids(0, 5, 6, 7).map((id) => known.classify(id, true)),
      ['committed', 'waiting', 'new'],
    )
  })

  it('stands behind what was given, and not what waits', () => {
    const known = new PartitionDedup({})
    known.begin(2, 10)
    deepEqual(known.position(), { next: { 2: 10 } })
    received(known, 2, 10, 11, 14)
    known.given(ids(2, 10, 11))
    deepEqual([known.position(), known.nextOf(2)], [{ next: { 2: 12 } }, 15])
    known.given(ids(2, 14))
    deepEqual(known.position(), { next: { 2: 15 } })
  })

  it('goes beyond what is no record, once all before it was given', () => {
    const known = new PartitionDedup({ '0': 0 })
    received(known, 0, 0)
    known.passed(0, 7)
    deepEqual([known.position(), known.nextOf(0)], [{ next: { 0: 0 } }, 7])
    known.given(ids(0, 0))
    deepEqual(known.position(), { next: { 0: 7 } })
    received(known, 0, 7)
    deepEqual(known.position(), { next: { 0: 7 } })
    known.given(ids(0, 7))
    deepEqual(known.position(), { next: { 0: 8 } })
  })

  it('reads again what waited and was thrown away', () => {
    const known = new PartitionDedup({ '0': 0, '1': 0 })
    received(known, 0, 0, 1)
    known.given(ids(0, 0))
    known.passed(0, 9)
    known.passed(1, 3)
    known.dropped()
    deepEqual([known.nextOf(0), known.nextOf(1)], [1, 3])
    equal(known.classify('0:1', true), 'new')
  })

  it('knows a topic that was created again, where topics are told apart', () => {
    const known = new PartitionDedup({ '0': 1 })
    deepEqual(
      [undefined, 'a', undefined, 'a', 'b'].map((topic) => known.isOf(topic)),
      [true, true, true, true, false],
    )
    deepEqual(known.position(), { topic: 'a', next: { 0: 1 } })
    deepEqual([new PartitionDedup({}, 'a').isOf('a'), new PartitionDedup({}, 'a').isOf('b')], [true, false])
  })
})
