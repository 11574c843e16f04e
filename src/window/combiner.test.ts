import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Combiner, canCombine } from './combiner.ts'
import { Panes } from './panes.ts'
import { every, onMark } from './trigger.ts'
import { countWindow, globalWindow, processingTime, session, sliding, tumbling } from './window.ts'

const at = (event: number): number => event
const count = { create: () => 0, add: (n: number) => n + 1, merge: (a: number, b: number) => a + b }

describe('Combiner', () => {
  it('T70: gives what it holds once, by key and window', () => {
    const combiner = new Combiner(sliding(10, 5, at), count)
    for (const event of [7, 8]) combiner.add('a', event)
    equal(combiner.size, 2)
    deepEqual(combiner.drainPartials(), [
      { key: 'a', startMs: 0, endMs: 10, acc: 2, events: 2 },
      { key: 'a', startMs: 5, endMs: 15, acc: 2, events: 2 },
    ])
    deepEqual(combiner.drainPartials(), [])
  })

  it('T70: leaves events whose window is past to who decides whether they are late', () => {
    const combiner = new Combiner(sliding(10, 5, at), count)
    combiner.watermark(10)
    deepEqual([combiner.add('a', 4), combiner.add('a', 8), combiner.add('a', 10)], [false, false, true])
  })

  it('T82: folds no event before its watermark into a session, also where that would end after it', () => {
    const combiner = new Combiner(session(5, at), count)
    combiner.watermark(10)
    deepEqual([combiner.add('a', 4), combiner.add('a', 9), combiner.add('a', 10)], [false, false, true])
    deepEqual(
      combiner.drainPartials().map(({ startMs, endMs, events }) => [startMs, endMs, events]),
      [[10, 15, 1]],
    )
  })

  it('T70: partials of the global window merge', () => {
    const combiner = new Combiner(globalWindow(), count)
    const panes = new Panes(globalWindow(), count)
    for (const event of [1, 2, 3]) combiner.add('a', event)
    for (const partial of structuredClone(combiner.drainPartials())) panes.merge(partial, () => {})
    panes.end(({ value }) => equal(value, 3))
  })

  it('T71: does not combine what depends on single events, or does not merge', () => {
    const { merge: _, ...unmergeable } = count
    equal(canCombine(tumbling(10, at), unmergeable), false)
    for (const spec of [
      countWindow(2),
      processingTime(2),
      session(1, at, { maxLength: 5 }),
      tumbling(1, at, { triggers: [every(2)] }),
    ]) {
      equal(canCombine(spec, count), false)
    }
    for (const spec of [globalWindow(), session(1, at), tumbling(1, at, { triggers: [onMark('now')] })]) {
      equal(canCombine(spec, count), true)
    }
    throws(() => new Combiner(countWindow(2), count), /Cannot combine events of count windows/)
    throws(
      () => new Panes(countWindow(2), count).merge({} as never, () => {}),
      /Cannot merge partials into count windows/,
    )
  })
})
