import { deepEqual, equal, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { History, lagOf } from '../page/history.ts'
import { CARD_HEIGHT, layoutOf, type Node, ranksOf } from '../page/layout.ts'
import { rateText, shortText, spanText } from '../page/words.ts'
import { buildPage } from '../scripts/page.ts'
import { BUILT_PAGE } from '../src/dashboard/built-page.ts'
import { snapshotOf } from '../src/testing/snapshot-of.ts'
import { ROOT } from './support/project.ts'

function node(number: number, ...from: number[]): Node {
  return { number, inputs: from.map((from) => ({ from, exchange: 'key' })) }
}

/** Any graph in which layers take from earlier ones. */
const graphs = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 12 })
  .map((wishes) =>
    wishes.map((wish, at) => node(at + 1, ...new Set(at === 0 ? [] : wish.map((from) => (from % at) + 1)))),
  )

describe('the built page', () => {
  it('is what its sources give (scripts/build-page.ts builds it)', async () => {
    const built = Object.entries(BUILT_PAGE).map(([name, text]) => {
      return [name, gunzipSync(Buffer.from(text, 'base64')).toString('utf8')]
    })
    deepEqual(Object.fromEntries(built), Object.fromEntries(await buildPage()))
  })

  it('fits its types', () => {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    execFileSync(process.execPath, [tsc, '-p', join(ROOT, 'page', 'tsconfig.json')])
  })
})

describe('the layout of layers', () => {
  it('puts each layer behind all that it takes from', () => {
    const ranks = ranksOf([node(1), node(2), node(3, 1, 2), node(4, 1), node(5, 3, 4)])
    deepEqual(
      ranks.map((nodes) => nodes.map(({ number }) => number)),
      [[1, 2], [4, 3], [5]],
    )
  })

  it('goes across where there is room, and down where there is not', () => {
    const nodes = [node(1), node(2, 1), node(3, 2)]
    const tops = (width: number): number[] => layoutOf(nodes, width).places.map(({ top }) => top)
    deepEqual(tops(1280), [0, 0, 0])
    deepEqual(tops(328), [0, CARD_HEIGHT + 28, 2 * (CARD_HEIGHT + 28)])
  })

  it('places every layer once, inside its width, and none on another', () => {
    fc.assert(
      fc.property(graphs, fc.integer({ min: 300, max: 2000 }), (nodes, width) => {
        const { places, cardWidth, height, edges } = layoutOf(nodes, width)
        deepEqual(
          places.map(({ number }) => number).sort((a, b) => a - b),
          nodes.map(({ number }) => number),
        )
        ok(
          places.every(
            ({ left, top }) => left >= 0 && left + cardWidth <= width && top >= 0 && top + CARD_HEIGHT <= height,
          ),
        )
        for (const [at, one] of places.entries()) {
          for (const other of places.slice(at + 1)) {
            const isApart = Math.abs(one.left - other.left) >= cardWidth || Math.abs(one.top - other.top) >= CARD_HEIGHT
            ok(isApart, `${one.number} lies on ${other.number}`)
          }
        }
        equal(
          edges.length,
          nodes.reduce((sum, { inputs }) => sum + inputs.length, 0),
        )
      }),
    )
  })
})

describe('the history of a run', () => {
  const [layer] = snapshotOf({}).layers
  const [stage] = layer?.stages ?? []
  if (layer === undefined || stage === undefined) throw new Error('the snapshot for tests has a stage')
  const at = (seconds: number, read: number, more: object = {}) => {
    const stages = [{ ...stage, received: read, emitted: read / 2, busyMs: seconds * 250 }]
    return snapshotOf({ atMs: seconds * 1000, startedMs: 0, read, layers: [{ ...layer, stages }], ...more })
  }

  it('knows no rate from one snapshot', () => {
    const history = new History()
    history.push(at(1, 100))
    equal(history.readRate, undefined)
    equal(history.layer(1).inRate, undefined)
  })

  it('gives rates of the last five seconds', () => {
    const history = new History()
    for (const [seconds, read] of [
      [0, 0],
      [1, 9000],
      [5, 9400],
      [6, 9500],
    ] as const)
      history.push(at(seconds, read))
    equal(history.readRate, 100)
    deepEqual(history.layer(1), {
      inRate: 100,
      outRate: 50,
      stages: [{ stage: 0, inRate: 100, outRate: 50, busyShare: 0.25 }],
    })
  })

  it('starts over with each attempt and each run: counts that went down give no rate', () => {
    const history = new History()
    history.push(at(1, 1000))
    history.push(at(2, 2000))
    history.push(at(3, 10, { restarts: 5 }))
    equal(history.readRate, undefined)
    history.push(at(4, 30, { restarts: 5 }))
    equal(history.readRate, 20)
    history.push(at(5, 0, { startedMs: 4500 }))
    equal(history.readRate, undefined)
  })

  it('takes no snapshot twice, and keeps ten minutes', () => {
    const history = new History()
    for (let seconds = 0; seconds < 700; seconds += 1) {
      history.push(at(seconds, seconds))
      history.push(at(seconds, seconds))
    }
    equal(history.moments.length, 600)
    deepEqual(history.moments.at(-1), {
      atMs: 699_000,
      read: 1,
      loaded: 0,
      dead: 0,
      commitTookMs: 12,
      lagMs: 0,
    })
  })

  it('takes the lowest watermark of the last layer that has one', () => {
    const marks = (...watermarks: number[]) => watermarks.map((watermarkMs) => ({ ...stage, watermarkMs }))
    const { watermarkMs: _, ...plain } = stage
    const layers = [
      { ...layer, stages: marks(1) },
      { ...layer, number: 2, stages: marks(7000, 4000) },
      { ...layer, number: 3, stages: [plain] },
    ]
    equal(lagOf(snapshotOf({ atMs: 10_000, layers })), 6000)
    equal(lagOf(snapshotOf({ layers: [{ ...layer, stages: marks(Number.NEGATIVE_INFINITY) }] })), undefined)
  })
})

describe('figures as words', () => {
  it('are short', () => {
    deepEqual([undefined, 0, 0.44, 1204.4, 1_200_000].map(rateText), ['–', '0', '0.4', '1,204', '1.20 M'])
    deepEqual([9999, 80_400, 999_600].map(shortText), ['9,999', '80 k', '1.0 M'])
    const spans = [undefined, 12, 3400, 300_000, 7_500_000, 3 * 86_400_000]
    deepEqual(spans.map(spanText), ['–', '12 ms', '3.4 s', '5 min', '2 h 5 min', '3 d 0 h'])
  })
})
