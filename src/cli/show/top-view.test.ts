import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import type { RunSnapshot } from '../../pipeline/snapshot.ts'
import { snapshotOf } from '../../testing/snapshot-of.ts'
import { runsOf } from './foreign-runs.ts'
import { sharedOf } from './shards.ts'
import { topView } from './top-view.ts'

const PLAIN = { columns: 100, hasColour: false }

/** The same run, so many milliseconds later, with so many events more. */
function later(run: RunSnapshot, ms: number, events: number): RunSnapshot {
  const layers = run.layers.map((layer) => {
    const stages = layer.stages.map((one) => ({
      ...one,
      received: one.received + events,
      emitted: one.emitted + events,
    }))
    return { ...layer, stages }
  })
  return { ...run, layers, atMs: run.atMs + ms, read: run.read + events }
}

describe('the view of runs in a terminal', () => {
  it('shows what each layer does, and which one holds the others up', () => {
    deepEqual(topView([snapshotOf({})], PLAIN), [
      'orders: running  5.0 s  orders.csv > rows',
      '  read 120  loaded 90  dead 4  filtered 5  24/s  5.0 kB of 10.0 kB (50 %)',
      '  epoch 7, committed 1.0 s ago in 12 ms  100.0 MB  1 restart',
      '  layer                 stages  in/s  out/s  demand  waiting  dead  busy',
      '  1 orders.csv, priced       1    24     22     400        0     4  90 %  #######.',
      '  2 rows                     1    22     20       0       10     0  10 %  #.......',
      '  layer 1 is the bottleneck',
      '  22:13:20 started: loading orders.csv into rows',
    ])
  })

  it('tells rates of the time between two looks', () => {
    const before = snapshotOf({})
    const [, progress, , , source] = topView([later(before, 500, 100)], { ...PLAIN, before: [before] })
    match(progress ?? '', /^ {2}read 220 .* 200\/s/)
    match(source ?? '', / 200 {4}200 /)
  })

  it('counts from the start where a layer started over', () => {
    const before = later(snapshotOf({}), 0, 1_000_000)
    const source = topView([{ ...snapshotOf({}), atMs: before.atMs + 1000 }], { ...PLAIN, before: [before] })[4]
    match(source ?? '', / 120 {4}110 /)
  })

  it('leaves out the least telling columns where the terminal is narrow', () => {
    deepEqual(topView([snapshotOf({})], { ...PLAIN, columns: 44 }).slice(3, 6), [
      '  layer              in/s  out/s  dead  busy',
      '  1 orders.csv, pr…    24     22     4  90 %',
      '  2 rows               22     20     0  10 %',
    ])
  })

  it('shows the total of the copies that share a pipeline, each of them, and which never started', () => {
    const [held, free] = [{ holder: 'process 7 on web1' }, {}]
    const copies = [held, free, free].map((of, at) => {
      return { shard: `${at}/3`, totals: { loaded: at * 1000, dead: at }, isMissing: at === 2, ...of }
    })
    const told = {
      pipeline: 'orders',
      totals: { loaded: 1000, dead: 1 },
      shards: copies,
      allShards: 3,
      missingShards: 1,
    }
    const shared = sharedOf({ checkpoints: [told, { pipeline: 'other', epoch: 0 }] }) ?? []
    deepEqual(topView([snapshotOf({ shard: '0/3' })], { ...PLAIN, shared }).slice(3, 7), [
      '  3 shards (1 missing)  loaded 1,000  dead 1',
      '    0/3  loaded 0  dead 0  held by process 7 on web1',
      '    1/3  loaded 1,000  dead 1  no run holds it',
      '    2/3  missing, it never started',
    ])
    const many = { ...told, shards: Array.from({ length: 200 }, () => copies[1]), allShards: 500 }
    equal(
      topView([snapshotOf({})], { ...PLAIN, shared: sharedOf({ checkpoints: [many] }) ?? [] })[24],
      '    and 480 more: see sluice checkpoints',
    )
    deepEqual(sharedOf({ checkpoints: [{ ...told, totals: {} }] }), [])
    for (const answer of [undefined, {}, { checkpoints: 3 }]) equal(sharedOf(answer), undefined)
  })

  it('says that nothing runs', () => {
    deepEqual(topView([], PLAIN), ['nothing is running'])
  })

  it('shows why a run has failed', () => {
    const lines = topView([snapshotOf({ state: 'failed', error: 'cannot reach db' })], PLAIN)
    deepEqual(lines.slice(0, 2), ['orders: failed  5.0 s  orders.csv > rows', '  cannot reach db'])
  })

  it('has no line that is too long, and none that moves the cursor, whatever it is told', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 })
    const view = fc.record({ title: text, error: text, source: text, columns: fc.integer({ min: 1, max: 200 }) })
    fc.assert(
      fc.property(view, fc.boolean(), ({ title, error, source, columns }, hasColour) => {
        const base = snapshotOf({ error, source, state: 'failed' })
        const layers = base.layers.map((layer) => ({ ...layer, title }))
        const notices = [{ atMs: Number.MAX_VALUE, kind: 'noted' as const, text: title }]
        for (const line of topView([{ ...base, layers, notices }], { columns, hasColour })) {
          const plain = hasColour ? stripVTControlCharacters(line) : line
          ok(plain.length <= columns, `${plain.length} of ${columns}: ${plain}`)
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
          equal(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/.test(plain), false)
        }
      }),
    )
  })
})

describe('runs that another process tells of', () => {
  it('are taken as they are', () => {
    const runs = [snapshotOf({})]
    deepEqual(runsOf(JSON.parse(JSON.stringify({ runs }))), runs)
  })

  it('are refused where anything of them is something else', () => {
    const [layer] = snapshotOf({}).layers
    const wrong: unknown[] = [
      undefined,
      null,
      'runs',
      {},
      { runs: 3 },
      { runs: [null] },
      { runs: [{ ...snapshotOf({}), pipeline: 7 }] },
      { runs: [{ ...snapshotOf({}), read: '1' }] },
      { runs: [{ ...snapshotOf({}), run: {} }] },
      { runs: [{ ...snapshotOf({}), committedMs: 'now' }] },
      { runs: [{ ...snapshotOf({}), layers: [{ ...layer, stages: [{}] }] }] },
      { runs: [{ ...snapshotOf({}), layers: Array.from({ length: 5000 }, () => layer) }] },
      { runs: [{ ...snapshotOf({}), notices: [1] }] },
    ]
    for (const answer of wrong) equal(runsOf(answer), undefined)
  })

  it('never throw, whatever they are', () => {
    fc.assert(fc.property(fc.anything(), (answer) => void runsOf(answer)))
  })
})
