import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { collect, flow, flows, session } from 'sluice'
import { times } from '../src/testing/times.ts'
import { floorTo, granularityOf } from '../src/window/granularity.ts'
import { NaiveWindows, type Numbered } from './support/naive-windows.ts'

interface Click extends Numbered {
  readonly key: string
}

interface Case {
  readonly inputs: readonly (readonly Click[])[]
  readonly gap: number
  readonly outOfOrderness: number
  readonly allowedLateness: number
  readonly stages: number
  /** Events between two stages, and turns of the event loop between two events of each input. */
  readonly inFlight: number
  readonly pauses: readonly number[]
}

const at = (click: Numbered): number => click.at

/** Times that mostly go on, now and then far behind or ahead: what is late, and what sessions meet, is a close thing. */
const clicks = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), by: fc.integer({ min: -14, max: 22 }) }), {
  maxLength: 40,
})

const cases: fc.Arbitrary<Case> = fc.record({
  inputs: fc.array(clicks, { minLength: 1, maxLength: 3 }).map((all) => {
    let id = 0
    return all.map((moves) => {
      let time = 0
      return moves.map(({ key, by }): Click => {
        time += by - 2
        id += 1
        return { id: id - 1, key, at: time }
      })
    })
  }),
  gap: fc.integer({ min: 3, max: 20 }),
  outOfOrderness: fc.constantFrom(0, 0, 5, 30),
  allowedLateness: fc.constantFrom(0, 0, 4),
  stages: fc.integer({ min: 1, max: 3 }),
  inFlight: fc.constantFrom(1, 2, 7, 64, 4000),
  pauses: fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
})

const specOf = ({ gap, outOfOrderness, allowedLateness }: Case) => session(gap, at, { outOfOrderness, allowedLateness })

/** An input that gives an event after so many turns of the event loop each. */
const paced = (events: readonly Click[], turns: number) =>
  async function* (): AsyncGenerator<Click> {
    for (const event of events) {
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      yield event
    }
  }

/** One line for each session, with its events, and for each late event. */
async function found(clicks: ReturnType<typeof flow<Click>>, one: Case): Promise<string[]> {
  const lines: string[] = []
  const sessions = clicks
    .keyBy(({ key }) => key)
    .window(specOf(one))
    .fold(
      () => [] as number[],
      (ids, { id }) => [...ids, id],
      (into, other) => [...into, ...other],
    )
  const rows = await collect(sessions, {
    stages: one.stages,
    inFlight: { events: one.inFlight },
    onLate: (_operator, event) => void lines.push(`late ${(event as Click).id}`),
  })
  for (const { key, window, value, ...fired } of rows) {
    if ('isLast' in fired && fired.isLast === false) continue
    lines.push(`${key} ${window.startMs}-${window.endMs}: ${value.toSorted((a, b) => a - b).join(' ')}`)
  }
  return lines.sort()
}

/** The sessions of one input, by time that passes after each event. */
function ofOne(events: readonly Click[], one: Case): string[] {
  const spec = specOf(one)
  const naive = new NaiveWindows(spec)
  let latest = Number.NEGATIVE_INFINITY
  const ids: number[] = []
  for (const event of events) {
    ids.push(event.id)
    naive.step({ kind: 'add', key: event.key, at: event.at })
    latest = Math.max(latest, event.at)
    naive.step({ kind: 'watermark', time: floorTo(granularityOf(spec), latest - one.outOfOrderness) })
  }
  naive.end()
  return linesOf(naive.lines, ids)
}

/** Last panes and late events, with the ids of the events in place of their numbers. */
function linesOf(lines: readonly string[], ids: readonly number[]): string[] {
  return lines
    .filter((line) => line.startsWith('late') || line.includes(' last: '))
    .map((line) => {
      if (line.startsWith('late')) return `late ${ids[Number(line.slice(5))]}`
      const [, name, own = ''] = /^(\S+ \S+) #.*: (.*)$/.exec(line) ?? []
      const members = own.split(' ').map((number) => ids[Number(number)] ?? -1)
      return `${name}: ${members.sort((a, b) => a - b).join(' ')}`
    })
    .sort()
}

/** The sessions of several inputs: each event is late, or not, by its own input; all others are in sessions. */
function ofSeveral(inputs: readonly (readonly Click[])[], one: Case): string[] {
  const lines: string[] = []
  const grain = granularityOf(specOf(one))
  const inTime = inputs.flatMap((events) => {
    let latest = Number.NEGATIVE_INFINITY
    return events.filter((event) => {
      const isLate = event.at + one.gap + one.allowedLateness <= floorTo(grain, latest - one.outOfOrderness)
      latest = Math.max(latest, event.at)
      if (isLate) lines.push(`late ${event.id}`)
      return !isLate
    })
  })
  for (const [key, own] of Map.groupBy(inTime, (event) => event.key)) {
    let open: { start: number; end: number; ids: number[] } | undefined
    const close = (): void => {
      if (open === undefined) return
      lines.push(`${key} ${open.start}-${open.end}: ${open.ids.sort((a, b) => a - b).join(' ')}`)
    }
    for (const event of own.toSorted((a, b) => a.at - b.at)) {
      if (open === undefined || event.at >= open.end) {
        close()
        open = { start: event.at, end: event.at, ids: [] }
      }
      open.end = event.at + one.gap
      open.ids.push(event.id)
    }
    close()
  }
  return lines.sort()
}

const NUM_RUNS = 300

describe('sessions in flows, whatever comes, however fast', () => {
  it('T13, T20, T80: of one input go by its order alone, whatever the batches and stages', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const [events = []] = one.inputs
        deepEqual(await found(flow(paced(events, one.pauses[0] ?? 0)), one), ofOne(events, one))
      }),
      { numRuns: times(NUM_RUNS) },
    )
  })

  it('T39, T81: of several inputs go by each one alone, however fast the others are', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const inputs = one.inputs.length > 1 ? one.inputs : [...one.inputs, []]
        const sources = inputs.map((events, index) => paced(events, one.pauses[index] ?? 0))
        deepEqual(await found(flows(sources), one), ofSeveral(inputs, one))
      }),
      { numRuns: times(NUM_RUNS) },
    )
  })

  it('T39, T81: behind a partition go by each of its stages alone', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.integer({ min: 2, max: 4 }), async (one, parts) => {
        const [events = []] = one.inputs
        const inputs = Array.from({ length: parts }, (_, part) => events.filter(({ id }) => id % parts === part))
        const partitioned = flow(paced(events, one.pauses[0] ?? 0)).partition({
          stages: parts,
          hash: ({ id }) => id % parts,
        })
        deepEqual(await found(partitioned, one), ofSeveral(inputs, one))
      }),
      { numRuns: times(NUM_RUNS) },
    )
  })
})
