import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../src/testing/times.ts'
import { Combiner, canCombine } from '../src/window/combiner.ts'
import type { Fold } from '../src/window/fold.ts'
import type { Pane } from '../src/window/pane.ts'
import { Panes } from '../src/window/panes.ts'
import { early, every, late, onMark, type Trigger } from '../src/window/trigger.ts'
import { type EventTimeWindow, session, sliding, tumbling } from '../src/window/window.ts'
import { NaiveWindows, type Numbered, type Step } from './support/naive-windows.ts'

const at = (event: Numbered): number => event.at

const listing: Fold<Numbered, number[]> = {
  create: () => [],
  add: (ids, { id }) => {
    ids.push(id)
    return ids
  },
  merge: (into, other) => [...into, ...other],
}

/** Steps around a watermark that moves on by little: so that most events meet others, and some are late. */
const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom('add' as const, 'add' as const, 'add' as const, 'watermark' as const, 'mark' as const),
      key: fc.constantFrom('a', 'b'),
      by: fc.integer({ min: -12, max: 18 }),
    }),
    { maxLength: 80, size: 'max' },
  )
  .map((moves) => {
    let time = -40
    return moves.map(({ kind, key, by }): Step => {
      if (kind === 'mark') return { kind }
      if (kind === 'add') return { kind, key, at: time + by }
      time += Math.max(-1, by - 5)
      return { kind, time }
    })
  })

const triggers: fc.Arbitrary<Trigger[]> = fc.subarray([every(3), early(4), late(), onMark('now')])

const specs: fc.Arbitrary<EventTimeWindow<Numbered>> = fc
  .record({
    kind: fc.constantFrom('tumbling', 'sliding', 'session'),
    size: fc.integer({ min: 5, max: 25 }),
    part: fc.integer({ min: 1, max: 5 }),
    offset: fc.nat(9),
    triggers,
    panes: fc.constantFrom('accumulate' as const, 'discard' as const),
    allowedLateness: fc.constantFrom(0, 0, 3, 40),
    emptyWindows: fc.constantFrom(0, 0, 2),
    maxLength: fc.constantFrom(undefined, 25, 40),
  })
  .map(({ kind, size, part, offset, emptyWindows, maxLength, ...options }) => {
    if (kind === 'session') return session(size, at, { ...options, ...(maxLength === undefined ? {} : { maxLength }) })
    if (kind === 'tumbling') return tumbling(size, at, { ...options, offset, emptyWindows })
    return sliding(size, Math.ceil(size / part), at, { ...options, offset, emptyWindows })
  })

/** Half of the sessions wait a gap longer, as those of several inputs do. */
const holdOf = (spec: EventTimeWindow<Numbered>): number =>
  spec.kind === 'session' && spec.gapMs % 2 === 1 ? spec.gapMs : 0

/** A machine whose panes are written as lines; `cut` replaces it by one that goes on from its snapshot. */
class Scribe {
  readonly lines: string[] = []
  readonly spec: EventTimeWindow<Numbered>
  #panes: Panes<Numbered, number[]>
  #ids = 0

  constructor(spec: EventTimeWindow<Numbered>) {
    this.spec = spec
    this.#panes = this.#make()
  }

  step(step: Step): void {
    if (step.kind === 'add') this.#panes.add(step.key, { id: this.#ids++, at: step.at }, this.emit)
    else if (step.kind === 'watermark') this.#panes.watermark(step.time, this.emit)
    else this.#panes.mark('now', this.emit)
  }

  cut(): void {
    const saved = JSON.parse(JSON.stringify(this.#panes.snapshot()))
    this.#panes = this.#make()
    this.#panes.restore(saved)
  }

  end(): void {
    this.#panes.end(this.emit)
  }

  emit = ({ key, window, index, trigger, isLast, value }: Pane<number[]>): void => {
    const name = `${key} ${window.startMs}-${window.endMs} #${index} ${trigger.kind}${isLast ? ' last' : ''}`
    this.lines.push(`${name}: ${value.join(' ')}`)
  }

  #make(): Panes<Numbered, number[]> {
    const onLate = (_key: unknown, { id }: Numbered) => this.lines.push(`late ${id}`)
    return new Panes(this.spec, listing, { onLate, holdMs: holdOf(this.spec) })
  }
}

function linesOf(spec: EventTimeWindow<Numbered>, all: readonly Step[]): string[] {
  const scribe = new Scribe(spec)
  for (const step of all) scribe.step(step)
  scribe.end()
  return scribe.lines
}

describe('Panes, whatever comes', () => {
  it('T10 to T45: give what the simplest windows give, in the same order', () => {
    fc.assert(
      fc.property(specs, steps, (spec, all) => {
        const naive = new NaiveWindows(spec, holdOf(spec))
        for (const step of all) naive.step(step)
        naive.end()
        deepEqual(linesOf(spec, all), naive.lines)
      }),
      { numRuns: times(500) },
    )
  })

  it('T60: go on from a snapshot, that went through JSON, as if nothing had been in between', () => {
    fc.assert(
      fc.property(specs, steps, fc.array(fc.nat(60)), (spec, all, cuts) => {
        const scribe = new Scribe(spec)
        for (const [index, step] of all.entries()) {
          if (cuts.includes(index)) scribe.cut()
          scribe.step(step)
        }
        scribe.cut()
        scribe.end()
        deepEqual(scribe.lines, linesOf(spec, all))
      }),
      { numRuns: times(300) },
    )
  })

  it('T25: a great step of the watermark is the same as many small ones', () => {
    fc.assert(
      fc.property(specs, steps, (spec, all) => {
        let last = -200
        const small = all.flatMap((step): Step[] => {
          if (step.kind !== 'watermark' || step.time <= last) return [step]
          const times = Array.from({ length: step.time - last }, (_, index) => last + index + 1)
          last = step.time
          return times.map((time) => ({ kind: 'watermark', time }))
        })
        deepEqual(linesOf(spec, small), linesOf(spec, all))
      }),
    )
  })

  it('T42: each key and window has exactly one last pane, its last', () => {
    fc.assert(
      fc.property(specs, steps, (spec, all) => {
        const open = new Map<string, number>()
        const panes = new Panes(spec, listing)
        const emit = ({ key, window, index, isLast }: Pane<number[]>): void => {
          const name = `${key} ${window.id}`
          if (spec.kind !== 'session') deepEqual(index, open.get(name) ?? 0)
          open.set(name, isLast ? Number.NaN : index + 1)
        }
        for (const [id, step] of all.entries()) {
          if (step.kind === 'add') panes.add(step.key, { id, at: step.at }, emit)
          else if (step.kind === 'watermark') panes.watermark(step.time, emit)
        }
        panes.end(emit)
        if (spec.kind !== 'session') deepEqual([...open.values()].filter(Number.isInteger), [])
        deepEqual(panes.open, 0)
      }),
    )
  })

  it('T70: events that are combined before give the same last panes, and the same late events', () => {
    const batches = fc.array(fc.nat(6), { minLength: 1 })
    const ids = (value: readonly number[]): string => [...value].sort((a, b) => a - b).join(' ')
    fc.assert(
      fc.property(specs, steps, batches, (given, all, sizes) => {
        const spec = { ...given, triggers: [], maxLengthMs: Number.POSITIVE_INFINITY, panes: 'accumulate' as const }
        deepEqual(canCombine(spec, listing), true)
        const run = (isCombined: boolean): string[] => {
          const lines: string[] = []
          const emit = ({ key, window, isLast, value }: Pane<number[]>): void => {
            if (isLast) lines.push(`${key} ${window.startMs}-${window.endMs}: ${ids(value)}`)
          }
          const combiner = new Combiner(spec, listing)
          const panes = new Panes(spec, listing, { onLate: (_key, { id }) => lines.push(`late ${id}`) })
          const drain = (): void => {
            for (const partial of combiner.drainPartials()) panes.merge(structuredClone(partial), emit)
          }
          for (const [id, step] of all.entries()) {
            if (id % ((sizes[id % sizes.length] ?? 0) + 1) === 0) drain()
            if (step.kind === 'watermark') {
              drain()
              combiner.watermark(step.time)
              panes.watermark(step.time, emit)
            } else if (step.kind === 'add') {
              const event = { id, at: step.at }
              if (!isCombined || !combiner.add(step.key, event)) panes.add(step.key, event, emit)
            }
          }
          drain()
          panes.end(emit)
          return lines.sort()
        }
        deepEqual(run(true), run(false))
      }),
    )
  })
})
