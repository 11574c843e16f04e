import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EventTimeError } from './event-time.ts'
import type { Fold } from './fold.ts'
import type { Pane } from './pane.ts'
import { Panes } from './panes.ts'
import { early, every, interval, late, onMark } from './trigger.ts'
import { countWindow, globalWindow, processingTime, session, sliding, tumbling, type WindowSpec } from './window.ts'

const at = (event: number): number => event
const COUNTING: Fold<number, number> = { create: () => 0, add: (n) => n + 1, merge: (a, b) => a + b }
const listing: Fold<number, string> = {
  create: () => '',
  add: (text, event) => (text === '' ? `${event}` : `${text} ${event}`),
  merge: (a, b) => `${a} ${b}`,
}

/** A machine over events that are their own time, and a line for each pane: `key id trigger[!]: events`. */
function machine(spec: WindowSpec<number>): {
  panes: Panes<number, string>
  emit: (pane: Pane<string>) => void
  take: () => string[]
} {
  let lines: string[] = []
  const emit = ({ key, window, trigger, isLast, value }: Pane<string>): void => {
    lines.push(`${key} ${window.id} ${trigger.kind}${isLast ? '!' : ''}: ${value}`.trim())
  }
  const onLate = (key: unknown, event: number, timeMs: number): void => {
    lines.push(`${key} late: ${event} at ${timeMs}`)
  }
  const take = (): string[] => {
    const taken = lines
    lines = []
    return taken
  }
  return { panes: new Panes(spec, listing, { onLate }), emit, take }
}

/** What a machine gives for numbers (events of the key `a`) and texts (`w50`: the watermark, `end`). */
function linesOf(spec: WindowSpec<number>, ...steps: (number | string)[]): string[] {
  const { panes, emit, take } = machine(spec)
  for (const step of steps) {
    if (typeof step === 'number') panes.add('a', step, emit)
    else if (step === 'end') panes.end(emit)
    else panes.watermark(Number(step.slice(1)), emit)
  }
  return take()
}

describe('windows of event time', () => {
  it('T1: an event whose time cannot be told throws, and changes nothing', () => {
    const panes = new Panes<{ at: never }, number>(
      tumbling(10, (event) => event.at),
      { create: () => 0, add: (n) => n + 1 },
    )
    for (const bad of [undefined, null, '5', Number.NaN, Infinity, 1e300, new Date(Number.NaN), 5n]) {
      throws(() => panes.add('a', { at: bad as never }, () => {}), EventTimeError)
    }
    equal(panes.open, 0)
    panes.add('a', { at: new Date(5) as never }, () => {})
    equal(panes.open, 1)
  })

  it('T10: begin at multiples of their size, also before 1970', () => {
    deepEqual(linesOf(tumbling(1000, at), -1500, -500, 500, 999, 1000, 'end'), [
      'a -2000 end!: -1500',
      'a -1000 end!: -500',
      'a 0 end!: 500 999',
      'a 1000 end!: 1000',
    ])
  })

  it('T10: are moved by their offset', () => {
    deepEqual(linesOf(tumbling(10, at, { offset: 3 }), -8, 2, 3, 'end'), [
      'a -17 end!: -8',
      'a -7 end!: 2',
      'a 3 end!: 3',
    ])
  })

  it('T11: overlap when they slide', () => {
    deepEqual(linesOf(sliding(10, 5, at), 7, 12, 'w15', 'end'), [
      'a 0 watermark!: 7',
      'a 5 watermark!: 7 12',
      'a 10 end!: 12',
    ])
  })

  it('T12: sessions end when as much as the gap lies behind their last event', () => {
    deepEqual(linesOf(session(10, at), 0, 9, 19, 'end'), ['a 0 end!: 0 9', 'a 19 end!: 19'])
  })

  it('T12: an event between two sessions makes one of them, in order of time', () => {
    deepEqual(linesOf(session(10, at), 0, 18, 9, 'end'), ['a 0 end!: 0 9 18'])
    deepEqual(linesOf(session(10, at), 18, 9, 0, 'end'), ['a 0 end!: 0 9 18'])
  })

  it('T12: sessions are refused a fold that cannot merge', () => {
    throws(() => new Panes(session(1, at), { create: () => 0, add: (n: number) => n }), /this fold has no merge/)
  })

  it('T80: an event before the end of a closed session of its key is late, also if it would end after the watermark', () => {
    const panes = new Panes(session(5, at), COUNTING)
    const found: string[] = []
    const emit = ({ window, value }: Pane<number>): unknown => found.push(`${window.startMs}-${window.endMs}: ${value}`)
    panes.add('a', 0, emit)
    panes.watermark(6, emit)
    panes.add('a', 3, emit)
    panes.add('b', 3, emit)
    panes.add('a', 5, emit)
    panes.end(emit)
    deepEqual([found, panes.late], [['0-5: 1', '3-8: 1', '5-10: 1'], 1])
  })

  it('T80: closed sessions are forgotten when no event can meet them', () => {
    const panes = new Panes(session(5, at), COUNTING)
    for (let n = 0; n < 1000; n += 1) {
      panes.add(`key ${n}`, n * 10, () => {})
      panes.watermark(n * 10, () => {})
    }
    deepEqual(panes.snapshot().closed, [{ key: 'key 998', endMs: 9985 }])
  })

  it('T81: a session that is held closes a gap after its end, and takes what comes until then', () => {
    const panes = new Panes(session(5, at), COUNTING, { holdMs: 5 })
    const found: string[] = []
    const emit = ({ window, value }: Pane<number>): unknown => found.push(`${window.startMs}-${window.endMs}: ${value}`)
    panes.add('a', 0, emit)
    panes.watermark(7, emit)
    panes.add('a', 3, emit)
    panes.watermark(12, emit)
    deepEqual(found, [])
    panes.watermark(13, emit)
    deepEqual(found, ['0-8: 2'])
  })

  it('T13: a session grows no longer than its limit', () => {
    deepEqual(linesOf(session(10, at, { maxLength: 20 }), 0, 8, 16, 19, 20, 'end'), [
      'a 0 end!: 0 8 16 19',
      'a 20 end!: 20',
    ])
    deepEqual(linesOf(session(10, at, { maxLength: 20 }), 0, 8, -5, 'end'), ['a -5 end!: -5', 'a 0 end!: 0 8'])
  })

  it('T17: windows without events are given only if asked for, and not behind the last', () => {
    deepEqual(linesOf(tumbling(10, at), 5, 45, 'w30', 'end'), ['a 0 watermark!: 5', 'a 40 end!: 45'])
    deepEqual(linesOf(tumbling(10, at, { emptyWindows: 2 }), 5, 45, 'w25', 'end'), [
      'a 0 watermark!: 5',
      'a 10 watermark!:',
      'a 20 end!:',
      'a 40 end!: 45',
    ])
  })

  it('T17: a far time gives no more windows without events than asked for', () => {
    equal(linesOf(tumbling(1, at, { emptyWindows: 5 }), 0, 'w8000000000000000', 'end').length, 6)
  })

  it('T19: no more are open than allowed; the error names the option', () => {
    const { panes, emit } = machine(tumbling(10, at, { maxOpen: 2 }))
    panes.add('a', 1, emit)
    panes.add('b', 1, emit)
    panes.add('a', 2, emit)
    throws(() => panes.add('c', 1, emit), {
      code: 'STATE_OVER_LIMIT',
      message:
        'Cannot hold another window (of the key "c") in window: a stage holds 2, the limit set by maxOpen; raise maxOpen, or use windows or more stages',
    })
    panes.watermark(10, emit)
    panes.add('c', 11, emit)
    equal(panes.open, 1)
  })
})

describe('the watermark', () => {
  it('T24: does nothing where it is not greater than the last', () => {
    deepEqual(linesOf(tumbling(10, at), 5, 'w10', 15, 'w10', 'w3', 4, 'w20'), [
      'a 0 watermark!: 5',
      'a late: 4 at 4',
      'a 10 watermark!: 15',
    ])
  })

  it('T36: gives late changes first, then what is due first', () => {
    const spec = tumbling(10, at, { allowedLateness: 100 })
    deepEqual(linesOf(spec, 1, 'w10', 25, 15, 2, 'w30'), [
      'a 0 watermark: 1',
      'a 0 late: 1 2',
      'a 10 watermark: 15',
      'a 20 watermark: 25',
    ])
  })
})

describe('late events', () => {
  it('T20: are late by the watermark of their own moment', () => {
    deepEqual(linesOf(tumbling(1000, at), 0, 'w0', 1500, 'w1500', 100, 2500, 'w2500', 1600, 'end'), [
      'a 0 watermark!: 0',
      'a late: 100 at 100',
      'a 1000 watermark!: 1500',
      'a late: 1600 at 1600',
      'a 2000 end!: 2500',
    ])
  })

  it('T21: are counted; of sliding windows, those that only some windows took too', () => {
    const { panes, emit, take } = machine(sliding(10, 5, at))
    panes.watermark(12, emit)
    for (const event of [1, 8, 13]) panes.add('a', event, emit)
    deepEqual([panes.late, panes.partlyLate, panes.open], [1, 1, 2])
    deepEqual(take(), ['a late: 1 at 1'])
  })

  it('T22, T23: are let in while lateness lasts, and fire at the next step of the watermark', () => {
    const spec = tumbling(10, at, { allowedLateness: 5 })
    deepEqual(linesOf(spec, 1, 'w10', 2, 3, 'w11', 4, 'w15', 5), [
      'a 0 watermark: 1',
      'a 0 late: 1 2 3',
      'a 0 late: 1 2 3 4',
      'a 0 closing!: 1 2 3 4',
      'a late: 5 at 5',
    ])
  })

  it('T23: fire at once with the late trigger', () => {
    const spec = tumbling(10, at, { allowedLateness: 5, triggers: [late()], panes: 'discard' })
    deepEqual(linesOf(spec, 1, 'w10', 2, 3, 'end'), ['a 0 watermark: 1', 'a 0 late: 2', 'a 0 late: 3', 'a 0 end!:'])
  })

  it('T37: make a session fire again that they carry beyond the watermark', () => {
    const spec = session(10, at, { allowedLateness: 20 })
    deepEqual(linesOf(spec, 0, 'w12', 5, 'w15', 'w40'), ['a 0 watermark: 0', 'a 0 watermark: 0 5', 'a 0 closing!: 0 5'])
  })
})

describe('other windows', () => {
  it('T14: of a count are full after so many events of a key, and never empty', () => {
    const steps = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1)
    deepEqual(linesOf(countWindow(3), ...steps(6), 'end'), ['a 0 count!: 1 2 3', 'a 1 count!: 4 5 6'])
    deepEqual(linesOf(countWindow(3), ...steps(7), 'end').at(-1), 'a 2 end!: 7')
    deepEqual(linesOf(countWindow(3), 'end'), [])
  })

  it('T15: of the clock hold what came in one stretch of it', () => {
    const { panes, emit, take } = machine(processingTime(10))
    throws(() => panes.add('a', 1, emit), /there was no tick yet/)
    panes.tick(7, emit)
    panes.add('a', 500, emit)
    equal(panes.nextTickMs, 10)
    panes.watermark(1000, emit)
    panes.tick(13, emit)
    panes.add('a', 3, emit)
    panes.tick(5, emit)
    panes.end(emit)
    deepEqual(take(), ['a 0 clock!: 500', 'a 10 end!: 3'])
  })

  it('T16: the global one gives one pane, at the end, also without events if it is to', () => {
    deepEqual(linesOf(globalWindow(), 1, 'w99', 2, 'end'), ['a global end!: 1 2'])
    deepEqual(linesOf(globalWindow(), 'end'), [])
    const { panes, emit, take } = machine(globalWindow())
    panes.end(emit, { ensure: 0 })
    deepEqual(take(), ['0 global end!:'])
  })
})

describe('triggers', () => {
  it('T30: every counts the events of each key and window', () => {
    deepEqual(linesOf(globalWindow({ triggers: [every(2)] }), 1, 2, 3, 4, 5, 'end'), [
      'a global every: 1 2',
      'a global every: 1 2 3 4',
      'a global end!: 1 2 3 4 5',
    ])
    deepEqual(linesOf(tumbling(10, at, { triggers: [every(2)] }), 1, 11, 2, 12), [
      'a 0 every: 1 2',
      'a 10 every: 11 12',
    ])
  })

  it('T41: are named by their panes; a window that began late has no pane of the watermark', () => {
    const late = tumbling(10, at, { allowedLateness: 5 })
    deepEqual(linesOf(late, 'w10', 4, 'w12', 'w15'), ['a 0 late: 4', 'a 0 closing!: 4'])
    deepEqual(linesOf(late, 4, 'w10', 'w15', 18, 'end'), ['a 0 watermark: 4', 'a 0 closing!: 4', 'a 10 end!: 18'])
    deepEqual(linesOf(countWindow(2), 1, 2), ['a 0 count!: 1 2'])
    deepEqual(linesOf(tumbling(10, at, { triggers: [every(1)] }), 3), ['a 0 every: 3'])
  })

  it('T34: an event fires no more than one pane', () => {
    const spec = countWindow(2, { triggers: [every(1), every(2)] })
    deepEqual(linesOf(spec, 1, 2), ['a 0 every: 1', 'a 0 count!: 1 2'])
  })

  it('T31: interval fires what changed, and nothing else', () => {
    const { panes, emit, take } = machine(globalWindow({ triggers: [interval(10)] }))
    equal(panes.nextTickMs, Infinity)
    panes.add('a', 1, emit)
    equal(panes.nextTickMs, -Infinity)
    panes.tick(1003, emit)
    equal(panes.nextTickMs, 1010)
    panes.add('b', 2, emit)
    panes.tick(1009, emit)
    deepEqual(take(), [])
    panes.tick(1010, emit)
    equal(panes.nextTickMs, Infinity)
    panes.add('b', 3, emit)
    panes.tick(1020, emit)
    panes.tick(1030, emit)
    deepEqual(take(), ['a global interval: 1', 'b global interval: 2', 'b global interval: 2 3'])
  })

  it('T31: an interval that is over before a window of the clock comes before it', () => {
    const { panes, emit, take } = machine(processingTime(10, { triggers: [interval(4)] }))
    panes.tick(1, emit)
    panes.add('a', 1, emit)
    panes.tick(20, emit)
    deepEqual(take(), ['a 0 interval: 1', 'a 0 clock!: 1'])
  })

  it('T32: a mark fires all that holds events, changed or not, by ascending end', () => {
    const { panes, emit, take } = machine(tumbling(10, at, { triggers: [onMark('now')] }))
    for (const [key, event] of [
      ['b', 15],
      ['b', 5],
      ['a', 6],
    ] as const)
      panes.add(key, event, emit)
    panes.mark('other', emit)
    panes.mark('now', emit)
    deepEqual(take(), ['b 0 mark: 5', 'a 0 mark: 6', 'b 10 mark: 15'])
    panes.mark('now', emit)
    equal(take().length, 3)
  })

  it('T33: early fires for each stretch of the window that the watermark passes, if it changed', () => {
    const spec = tumbling(10, at, { triggers: [early(3)] })
    deepEqual(linesOf(spec, 1, 'w2', 'w3', 'w6', 7, 'w8', 'w9', 'w10'), [
      'a 0 early: 1',
      'a 0 early: 1 7',
      'a 0 watermark!: 1 7',
    ])
  })

  it('T35: a pane holds what came since the one before, when panes are discarded', () => {
    const spec = globalWindow({ triggers: [every(2)], panes: 'discard' })
    deepEqual(linesOf(spec, 1, 2, 3, 4, 5, 'end'), ['a global every: 1 2', 'a global every: 3 4', 'a global end!: 5'])
  })
})

describe('closing', () => {
  it('T40: goes by the end of windows, then by when they were opened', () => {
    const { panes, emit, take } = machine(tumbling(10, at))
    for (const [key, event] of [
      ['b', 25],
      ['b', 5],
      ['c', 15],
      ['a', 6],
      ['a', 16],
    ] as const)
      panes.add(key, event, emit)
    panes.watermark(20, emit)
    deepEqual(take(), ['b 0 watermark!: 5', 'a 0 watermark!: 6', 'c 10 watermark!: 15', 'a 10 watermark!: 16'])
  })

  it('T43: the end closes everything once; nothing may follow', () => {
    const { panes, emit, take } = machine(tumbling(10, at, { allowedLateness: 100 }))
    panes.add('a', 15, emit)
    panes.add('a', 5, emit)
    panes.watermark(12, emit)
    panes.end(emit)
    panes.end(emit)
    panes.watermark(500, emit)
    deepEqual(take(), ['a 0 watermark: 5', 'a 0 end!: 5', 'a 10 end!: 15'])
    throws(() => panes.add('a', 1, emit), /an event came after the end/)
  })

  it('T44: nothing goes out without a call: who fails stops calling', () => {
    deepEqual(linesOf(tumbling(10, at, { triggers: [interval(1), early(2)] }), 1, 2, 3), [])
  })

  it('T45: panes of a key and window are numbered', () => {
    const seen: [number, boolean][] = []
    const panes = new Panes(countWindow(3, { triggers: [every(1)] }), listing)
    for (const event of [1, 2, 3, 4]) panes.add('a', event, ({ index, isLast }) => seen.push([index, isLast]))
    deepEqual(seen, [
      [0, false],
      [1, false],
      [2, true],
      [0, false],
    ])
  })
})

describe('snapshots', () => {
  it('T60: carry keys of every type, infinities, and windows of every kind', () => {
    for (const spec of [globalWindow(), countWindow(3), processingTime(10), tumbling(10, at)]) {
      const [first, second] = [machine(spec), machine(spec)]
      const { panes, emit } = first
      panes.tick(1, emit)
      for (const key of ['a', 1, 12345678901234567890n, true, Infinity, '1'])
        for (const event of [1, 2]) panes.add(key, event, emit)
      second.panes.restore(JSON.parse(JSON.stringify(panes.snapshot())))
      for (const { panes, emit } of [first, second]) {
        panes.add(12345678901234567890n, 3, emit)
        panes.end(emit)
      }
      deepEqual(second.take(), first.take())
    }
  })

  it('T60: share nothing with the machine', () => {
    const counts: Fold<number, { n: number }> = {
      create: () => ({ n: 0 }),
      add: (acc) => {
        acc.n += 1
        return acc
      },
    }
    const panes = new Panes(globalWindow(), counts)
    panes.add('a', 1, () => {})
    const saved = panes.snapshot()
    panes.add('a', 1, () => {})
    const again = new Panes(globalWindow(), counts)
    again.restore(saved)
    again.end(({ value }) => deepEqual(value, { n: 1 }))
  })

  it('T61: of other windows are refused', () => {
    const saved = machine(tumbling(10, at)).panes.snapshot()
    throws(() => machine(tumbling(20, at)).panes.restore(saved), {
      message: 'Cannot restore windows tumbling(20 ms, offset 0 ms): the snapshot is of tumbling(10 ms, offset 0 ms)',
    })
  })
})
