import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../base/errors.ts'
import { type Kept, StateParts } from './state-parts.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values)
const kept = (names: Readonly<Record<string, string>>): Map<string, Kept> =>
  new Map(Object.entries(names).map(([name, keeps]) => [name, { keeps, forgetsAtEnd: name === 'batch' }]))

/** Commits states, and gives the parts of a checkpoint as a store would have them. */
function committed(
  names: Readonly<Record<string, string>>,
  states: Readonly<Record<string, Uint8Array>>,
): Map<string, Uint8Array> {
  const parts = new StateParts('test', kept(names), undefined)
  parts.take(1, '2/0', new Map(Object.entries(states)))
  return parts.changed(1)
}

const invalid = (found: RegExp) => (error: unknown) => {
  ok(isSluiceError(error, 'CHECKPOINT_INVALID'), String(error))
  ok(found.test(error.message), error.message)
  return true
}

describe('StateParts', () => {
  it('C10: writes only what changed, and says what is gone', () => {
    const parts = new StateParts('test', kept({ uniq: 'uniq' }), undefined)
    parts.take(1, '2/0', new Map([['uniq', bytes(1)]]))
    parts.take(1, '2/1', new Map([['uniq', bytes(2)]]))
    deepEqual([...parts.changed(1).keys()], ['uniq/0', 'uniq/1', 'plan'])
    parts.committed(1)
    parts.take(2, '2/0', new Map([['uniq', bytes(1)]]))
    deepEqual([...parts.changed(2)], [['uniq/1', new Uint8Array()]])
  })

  it('gives each operator the states of all stages, by their numbers', () => {
    const parts = new StateParts('test', kept({ 'a/b': 'x' }), undefined)
    for (let stage = 11; stage >= 0; stage -= 1) parts.take(1, `2/${stage}`, new Map([['a/b', bytes(stage)]]))
    const next = new StateParts('test', kept({ 'a/b': 'x' }), parts.changed(1))
    deepEqual(
      next
        .states()
        .get('a/b')
        ?.map(([value]) => value),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    )
  })

  it('C12: refuses states of a flow that remembers other things, and says which', () => {
    const before = committed({ uniq: 'uniq', sums: 'aggregate record(n: count)' }, { uniq: bytes(1) })
    throws(
      () => new StateParts('test', kept({ sums: 'aggregate record(n: count)' }), before),
      invalid(/it holds the state of uniq, which the flow does not have/),
    )
    throws(
      () => new StateParts('test', kept({ uniq: 'uniq', sums: 'aggregate record(n: sum)' }), before),
      invalid(/of sums as aggregate record\(n: count\), which is now aggregate record\(n: sum\)/),
    )
    throws(
      () => new StateParts('test', kept({ uniq: 'uniq', sums: 'aggregate record(n: count)', more: 'x' }), before),
      invalid(/it has no state for more .*to start over/),
    )
  })

  it('C13: refuses states of another version', () => {
    const before = committed({ uniq: 'uniq' }, {})
    for (const version of [1, 9]) {
      before.set('plan', new TextEncoder().encode(`{"version":${version},"operators":{}}`))
      const found = new RegExp(`have version ${version}, this Sluice reads 2`)
      throws(() => new StateParts('test', kept({ uniq: 'uniq' }), before), invalid(found))
    }
    before.set('plan', new TextEncoder().encode('{'))
    throws(() => new StateParts('test', kept({ uniq: 'uniq' }), before), invalid(/cannot be read/))
  })

  it('C22: knows that all results went out, until something new is committed; of batches nothing is left then', () => {
    const names = { uniq: 'uniq', batch: 'batch' }
    const parts = new StateParts('test', kept(names), undefined)
    parts.take(
      1,
      '2/0',
      new Map([
        ['uniq', bytes(1)],
        ['batch', bytes(2)],
      ]),
    )
    parts.fire(1)
    const after = new StateParts('test', kept(names), parts.changed(1))
    equal(after.hasFired, true)
    deepEqual([...after.states().keys()], ['uniq'])
    after.take(2, '2/0', new Map([['uniq', bytes(1)]]))
    deepEqual([...after.changed(2)], [['fired', new Uint8Array()]])
  })
})
