import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { count } from '../aggregate/count.ts'
import { first, last } from '../aggregate/first-last.ts'
import { mean } from '../aggregate/mean.ts'
import { max, min } from '../aggregate/min-max.ts'
import { quantile } from '../aggregate/quantile.ts'
import { sum } from '../aggregate/sum.ts'
import { keyOfFields, valuesOfKey } from '../base/field.ts'
import type { Key } from '../base/hash.ts'
import { csvSource } from '../connect/files/csv.ts'
import { collect } from '../engine/collect.ts'
import { explain } from '../engine/explain.ts'
import { every, late } from '../window/trigger.ts'
import { countWindow, globalWindow, session, sliding, tumbling } from '../window/window.ts'
import { rowKeyOf } from './fields.ts'
import type { Flow } from './flow.ts'
import { layOut } from './layout.ts'
import { flow } from './start-flow.ts'
import { fingerprintOf } from './topology.ts'

interface Reading {
  readonly sensor: string
  readonly at: number
  readonly celsius: number | null
}
const READINGS: readonly Reading[] = [
  { sensor: 'a', at: 0, celsius: 20 },
  { sensor: 'b', at: 1, celsius: null },
  { sensor: 'a', at: 12, celsius: -5 },
]
const readings = flow(READINGS)
const bare = (rows: Flow<unknown>): string => fingerprintOf(layOut(rows.node, { stages: 2 }))

describe('where', () => {
  const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
    '=': (a, b) => a === b,
    '!=': (a, b) => a !== b,
    '<': (a, b) => a < b,
    '<=': (a, b) => a <= b,
    '>': (a, b) => a > b,
    '>=': (a, b) => a >= b,
  }

  it('L103: compares numbers, texts, bigints, booleans and dates as their kind does; null passes no comparison', async () => {
    const kinds: readonly ((n: number) => unknown)[] = [
      (n) => n,
      (n) => String.fromCharCode(0xd7ff + n * 0x900),
      (n) => BigInt(n),
      (n) => n > 1,
      (n) => new Date(n),
    ]
    for (const kind of kinds) {
      for (const [op, isSo] of Object.entries(COMPARE)) {
        const rows = [0, 1, 2].map((n) => ({ n, v: kind(n) }))
        const given = flow<{ n: number; v: unknown }>([...rows, { n: 9, v: null }, { n: 9, v: undefined }])
        const kept = await collect(given.where('v', op as '=', kind(1) as object))
        const plain = (value: unknown): number => (value instanceof Date ? value.getTime() : value) as number
        const expected = rows.filter(({ v }) => isSo(plain(v), plain(kind(1))))
        deepEqual(kept, expected, `${kind} ${op}`)
      }
    }
  })

  it('L103: `in` takes any of several; `is` and `is not` ask for null', async () => {
    deepEqual(await collect(readings.where('sensor', 'in', ['b', 'c'])), [READINGS[1]])
    deepEqual(await collect(readings.where('celsius', 'in', [])), [])
    deepEqual(await collect(readings.where('celsius', 'is', null)), [READINGS[1]])
    deepEqual(await collect(readings.where('celsius', 'is not', null)), [READINGS[0], READINGS[2]])
    const days = flow([{ at: new Date(0) }, { at: new Date(1) }])
    deepEqual(await collect(days.where('at', 'in', [new Date(1)])), [{ at: new Date(1) }])
  })

  it('L103: `in` compares as `=` does: by kind, a bigint by its value', async () => {
    const among = async (v: unknown, values: readonly unknown[]): Promise<boolean> =>
      (await collect(flow([{ v }]).where('v', 'in', values as never))).length === 1
    for (const v of [1, 1n, 2, 2n]) equal(await among(v, [1, 2n]), true)
    equal(await among(2n ** 60n + 1n, [2 ** 60]), false)
    equal(await among(5, [new Date(5), 7]), false)
    for (const v of [{}, new Date(Number.NaN), 'x', true]) {
      await rejects(among(v, [new Date(5), 7]), /Cannot compare field v with Date: found/)
    }
  })

  it('L103: inherited names such as constructor are not fields of a row', async () => {
    const given: readonly object[] = [{ id: 1 }, { id: 2, constructor: 'x' }]
    const rows = flow(given) as unknown as Flow<{ readonly constructor: string }>
    deepEqual(await collect(rows.where('constructor', 'is', null)), [{ id: 1 }])
    deepEqual(await collect(rows.where('constructor', '=', 'x').select('constructor')), [{ constructor: 'x' }])
    await rejects(collect(rows.uniq('constructor')), /found no such field/)
  })

  it('L103: fails on NaN, and on a value of another kind', async () => {
    const odd = flow<{ v: unknown }>([{ v: 'x' }])
    await rejects(collect(odd.where('v', '>', 1 as never)), /Cannot compare field v with 1: found "x"/)
    await rejects(collect(odd.where('v', 'in', [1] as never)), /Cannot compare field v with 1: found "x"/)
    await rejects(collect(flow([{ v: Number.NaN }]).where('v', '>', 1)), /found NaN/)
    equal((await collect(flow([{ v: 2n }]).where('v', '>', 1 as never))).length, 1)
    throws(() => readings.where('at', '>', Number.NaN), /a text, a number, a boolean or a date after ">": found NaN/)
    throws(() => readings.where('at', '=', null as never), /say where\(name, 'is', null\)/)
    throws(() => readings.where('at', 'is', 1 as never), /takes null after "is": found 1/)
    throws(() => readings.where('at', 'like' as never, 1 as never), /where compares by =, !=, .*: found "like"/)
  })
})

describe('select, derive and split', () => {
  it('L104: give rows of these fields, of new names, of one field more, of the parts of a text', async () => {
    deepEqual(await collect(readings.select('at', 'sensor').take(1)), [{ at: 0, sensor: 'a' }])
    deepEqual(await collect(readings.select({ t: 'at' }).take(1)), [{ t: 0 }])
    const fahrenheit = readings.derive('celsius', ['celsius'], (celsius) => (celsius ?? 0) * 1.8 + 32)
    deepEqual(await collect(fahrenheit.take(1)), [{ sensor: 'a', at: 0, celsius: 68 }])
    const texts = flow([
      { id: 1, tags: ',a,,b' },
      { id: 2, tags: null },
      { id: 3, tags: '' },
    ])
    deepEqual(await collect(texts.split('tags', ',')), [
      { id: 1, tags: 'a' },
      { id: 1, tags: 'b' },
    ])
    deepEqual(await collect(texts.split('tags', /[,a]+/)), [{ id: 1, tags: 'b' }])
  })

  it('L104: refuse what names no fields, a name twice, and __proto__', () => {
    throws(() => readings.select(...([] as never as ['at'])), { message: 'select takes names of fields: found none' })
    throws(() => readings.select('at', 'at'), { message: 'select takes each field once: found "at" twice' })
    throws(() => readings.select({ ['__proto__']: 'at' }), { message: 'select cannot take a field named __proto__' })
    throws(
      () => readings.derive('x', 'at' as never, () => 1),
      /derive takes the names of fields as an array: found "at"/,
    )
    throws(() => readings.select(['at'] as never), { message: 'select takes names of fields: found Array' })
    throws(() => flow([{ a: '' }]).split('a', ''), /split takes a separator/)
  })

  it('L104: make rows of rows only', async () => {
    for (const odd of [null, 5, 'text']) {
      const rows = flow([odd]) as unknown as Flow<{ readonly a: string }>
      await rejects(collect(rows.select('a')), /select takes rows: found/)
      await rejects(collect(rows.derive('b', [], () => 1)), /derive takes rows: found/)
      await rejects(collect(rows.split('a', ',')), /split takes rows: found/)
    }
  })

  it('L102: take any name', async () => {
    for (const name of ['"', "'", '`', '\n', '\u2028', '\ud800', '', 'toString', 'length', ']; throw 1 //', '*/']) {
      const row = { [name]: 'a-b', id: 1 } as { readonly [name: string]: string }
      const named = flow([row]).where(name, '=', 'a-b').sort(name).uniq(name)
      deepEqual(await collect(named.select({ v: name })), [{ v: 'a-b' }], name)
      deepEqual(await collect(named.derive(name, [name], (text) => `${text}!`)), [{ ...row, [name]: 'a-b!' }], name)
      const keyed = await collect(named.keyBy(name, 'id').aggregate({ n_: count() }))
      deepEqual(keyed, [{ ...row, n_: 1 }], name)
    }
  })
})

describe('keys by name', () => {
  const keys: fc.Arbitrary<Key> = fc.oneof(
    fc.string(),
    fc.constantFrom('', 's1:', ':', 'n1;', '1', 'true'),
    fc.double({ noNaN: true }).map((n) => n + 0),
    fc.bigInt(),
    fc.boolean(),
  )

  it('L105: tell all lists of values apart, and give the values back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(keys, keys, keys), { minLength: 2, maxLength: 9 }), (lists) => {
        const names = ['a', 'b', 'c']
        const key = keyOfFields(names)
        const texts = lists.map(([a, b, c]) => key({ a, b, c } as never))
        deepEqual(
          texts.map((text) => valuesOfKey(names, text)),
          lists,
        )
        const same = (i: number, j: number): boolean =>
          lists[i]?.every((value, at) => value === lists[j]?.[at]) === true
        for (const i of lists.keys()) for (const j of lists.keys()) equal(texts[i] === texts[j], same(i, j))
      }),
    )
  })

  it('L105: refuse a field that is null, missing or an object, by its name', async () => {
    const rows = flow<{ k: unknown }>([{ k: null }]) as Flow<{ k: string }>
    await rejects(collect(rows.keyBy('k').aggregate({ n: count() })), /Field k is a key.*: found null/)
    await rejects(collect(rows.uniq('k')), /Field k is a key/)
    await rejects(
      collect((flow([{}]) as Flow<{ k: string }>).keyBy('k').aggregate({ n: count() })),
      /found no such field/,
    )
    throws(() => readings.keyBy('at', 'at'), { message: 'keyBy takes each field once: found "at" twice' })
  })

  it('L105: serve uniq, partition, batch, groupBy, mapAsync and enrich', async () => {
    deepEqual(await collect(readings.uniq('sensor').select('at')), [{ at: 0 }, { at: 1 }])
    deepEqual((await collect(readings.uniq('sensor', 'at'))).length, 3)
    deepEqual((await collect(readings.window(tumbling(10, 'at')).uniq('sensor'))).length, 3)
    deepEqual((await collect(readings.partition({ key: ['sensor', 'at'], stages: 3 }))).length, 3)
    deepEqual((await collect(readings.batch({ key: 'sensor', size: 9 }))).map((batch) => batch.length).sort(), [1, 2])
    deepEqual(await collect(readings.groupBy('sensor', 'at')), [
      ['a', [0, 12]],
      ['b', [1]],
    ])
    deepEqual(await collect(readings.mapAsync(async ({ at }) => at, { key: 'sensor' })), [0, 1, 12])
    const looked = readings.enrich({ key: 'sensor', lookup: (sensor) => `${sensor}!`, into: (_, name) => name })
    deepEqual(await collect(looked), ['a!', 'b!', 'a!'])
    throws(
      () => readings.partition({ key: 7 as never }),
      /key of partition takes a function, or names of fields: found 7/,
    )
  })
})

describe('results by name', () => {
  const at = { outOfOrderness: 100 } as const

  it('L106: are rows of the key, the window and the aggregates', async () => {
    deepEqual(await collect(readings.keyBy('sensor').aggregate({ n: count(), best: max('celsius') })), [
      { sensor: 'a', n: 2, best: 20 },
      { sensor: 'b', n: 1, best: null },
    ])
    deepEqual(
      await collect(
        readings
          .keyBy('sensor')
          .window(tumbling(10, 'at', at))
          .aggregate({ n: count() }),
      ),
      [
        { sensor: 'a', windowStart: 0, windowEnd: 10, n: 1 },
        { sensor: 'b', windowStart: 0, windowEnd: 10, n: 1 },
        { sensor: 'a', windowStart: 10, windowEnd: 20, n: 1 },
      ],
    )
    deepEqual(await collect(readings.window(session(5, 'at')).aggregate({ n: count() })), [
      { windowStart: 0, windowEnd: 6, n: 2 },
      { windowStart: 12, windowEnd: 17, n: 1 },
    ])
    deepEqual((await collect(readings.window(sliding(10, 5, 'at')).aggregate({ n: count() })))[0], {
      windowStart: -5,
      windowEnd: 5,
      n: 2,
    })
    deepEqual(await collect(readings.keyBy('sensor').window(countWindow(1)).aggregate({ n: count() })), [
      { sensor: 'a', windowIndex: 0, n: 1 },
      { sensor: 'b', windowIndex: 0, n: 1 },
      { sensor: 'a', windowIndex: 1, n: 1 },
    ])
    deepEqual(await collect(readings.keyBy('sensor').window(globalWindow()).aggregate({ n: count() })), [
      { sensor: 'a', n: 2 },
      { sensor: 'b', n: 1 },
    ])
  })

  it('L106: say why they came, and whether they are the last, where a window can give several', async () => {
    const rows = readings
      .keyBy('sensor')
      .window(countWindow(2, { triggers: [every(1)] }))
      .aggregate({ n: count() })
    deepEqual((await collect(rows)).slice(0, 2), [
      { sensor: 'a', windowIndex: 0, trigger: 'every', isLast: false, n: 1 },
      { sensor: 'b', windowIndex: 0, trigger: 'every', isLast: false, n: 1 },
    ])
  })

  it('L106: refuse a result of a name that the row has', () => {
    const keyed = readings.keyBy('sensor')
    throws(() => keyed.aggregate({ sensor: count() } as never), /cannot have a result named sensor/)
    for (const name of ['windowStart', 'windowEnd', 'windowIndex', 'trigger', 'isLast']) {
      throws(() => keyed.aggregate({ [name]: count() } as never), new RegExp(`cannot have a result named ${name}`))
    }
    const rows = flow([{ windowStart: 0, at: 1 }]).keyBy('windowStart')
    throws(() => rows.window(tumbling(10, 'at')).aggregate({ n: count() }), /cannot have a key named windowStart/)
  })

  it('L107: an aggregate of nothing is null, by name and by function', async () => {
    const nothing = flow<Reading>([])
    const spec = {
      a: min('at'),
      b: max('celsius'),
      c: mean('at'),
      d: quantile('at', 0.5),
      e: first('at'),
      f: last('sensor'),
    }
    const none = { a: null, b: null, c: null, d: null, e: null, f: null }
    deepEqual(await collect(nothing.aggregate(spec)), [none])
    const same = {
      a: min(timeOf),
      b: max(timeOf),
      c: mean(timeOf),
      d: quantile(timeOf, 0.5),
      e: first(timeOf),
      f: last(timeOf),
    }
    deepEqual(await collect(nothing.aggregate(same)), [none])
    deepEqual(await collect(nothing.aggregate({ n: count(), all: sum('at') })), [{ n: 0, all: 0 }])
  })
})

describe('sort and top', () => {
  it('L108: give events in the order of a field, null last, equal ones as they came', async () => {
    const rows = [3, 1, null, 3, 2].map((v, id) => ({ id, v }))
    const ids = async (sorted: Flow<{ id: number }>): Promise<number[]> => (await collect(sorted)).map(({ id }) => id)
    deepEqual(await ids(flow(rows).sort('v')), [1, 4, 0, 3, 2])
    deepEqual(await ids(flow(rows).sort('v', { order: 'descending' })), [0, 3, 4, 1, 2])
    deepEqual(await ids(flow(rows).top(2, 'v')), [0, 3])
    deepEqual(await ids(flow(rows).top(2, 'v', { order: 'ascending' })), [1, 4])
    deepEqual(await ids(flow(rows).top(0, 'v')), [])
  })

  it('L108: hold no more than they may, and refuse values of several kinds', async () => {
    await rejects(collect(readings.sort('at', { maxHeld: 2 })), /Cannot hold another event in sort at.*maxHeld/)
    equal((await collect(readings.sort('at', { maxHeld: 3 }))).length, 3)
    const mixed = flow<{ v: number | string }>([{ v: 1 }, { v: 'a' }])
    await rejects(collect(mixed.sort('v')), /Cannot sort by field v: it takes .* of one kind/)
  })
})

describe('joins by name', () => {
  const rooms = flow([
    { sensor: 'a', room: 'kitchen' },
    { sensor: 'c', room: 'attic' },
  ])

  it('L109: give one row: keys once, then the fields of both, null where a side is missing', async () => {
    const own = readings.select('sensor', 'celsius').uniq('sensor')
    deepEqual(await collect(own.join(rooms, { on: ['sensor'] })), [{ sensor: 'a', celsius: 20, room: 'kitchen' }])
    const full = own.join(rooms.select('sensor', 'room'), { on: ['sensor'], mode: 'full' })
    deepEqual(
      (await collect(full)).sort((a, b) => (a.sensor < b.sensor ? -1 : 1)),
      [
        { sensor: 'a', celsius: 20, room: 'kitchen' },
        { sensor: 'b', celsius: null, room: null },
        { sensor: 'c', celsius: null, room: 'attic' },
      ],
    )
    const timed = rooms.derive('at', ['room'], (room) => (room === 'attic' ? 0 : 500))
    const met = readings.select('sensor', 'at').join(timed.select('sensor', 'at', 'room'), {
      on: ['sensor', 'at'],
      window: tumbling(10, 'at', { outOfOrderness: 1000 }),
    })
    deepEqual(await collect(met), [])
  })

  it('L109: refuse a field that both sides have, and a missing side whose fields nobody says', async () => {
    const same = readings.select('sensor', 'at')
    throws(
      () => same.join(readings.select('sensor', 'at') as never, { on: ['sensor'] } as never),
      /both sides have a field at/,
    )
    const unknown = readings.map((row) => row)
    await rejects(collect(unknown.join(readings as never, { on: ['sensor'] } as never)), /both sides have a field at/)
    throws(
      () => same.join(rooms, { on: ['sensor'], mode: 'left' }),
      /the right side may be missing: its fields are not known/,
    )
  })
})

describe('plans by name', () => {
  it('L110: are other plans than those by functions', () => {
    const named = readings
      .keyBy('sensor')
      .window(tumbling(10, 'at'))
      .aggregate({ n: count(), m: mean('celsius') })
    const other = readings
      .keyBy('at')
      .window(tumbling(10, 'at'))
      .aggregate({ n: count(), m: mean('celsius') })
    const byFunction = readings
      .keyBy(({ sensor }) => sensor)
      .window(tumbling(10, timeOf))
      .aggregate({ n: count(), m: mean((row) => row.celsius) })
    equal(new Set([named, other, byFunction].map(bare)).size, 3)
    notSame(readings.where('at', '>', 1), readings.where('at', '>', 2))
    notSame(readings.uniq('at'), readings.uniq('sensor'))
    notSame(readings.sort('at'), readings.sort('celsius'))
  })

  it('L112: are explained with the fields that each step reads and writes', async () => {
    const rows = readings
      .where('celsius', '>', -90)
      .derive('fahrenheit', ['celsius'], (celsius) => celsius * 1.8 + 32)
      .filter(({ at }) => at > 0)
      .select('sensor', 'fahrenheit')
      .keyBy('sensor')
      .aggregate({ n: count(), m: mean('fahrenheit') })
    const told = (await explain(rows)).split('\n').filter((line) => line.startsWith('  '))
    deepEqual(told, [
      '  takes from layer 1: whichever stage is free',
      '  where celsius > -90: reads celsius',
      '  derive fahrenheit: reads celsius, writes fahrenheit',
      '  filter: a function sees whole events',
      '  select sensor, fahrenheit: reads sensor, fahrenheit, writes sensor, fahrenheit and no others',
      '  aggregate: reads sensor, fahrenheit',
    ])
  })

  it('L111: say what tells their rows apart, as long as these fields last', () => {
    const counted = readings.keyBy('sensor').window(tumbling(10, 'at')).aggregate({ n: count() })
    deepEqual(rowKeyOf(counted.node), ['sensor', 'windowStart'])
    deepEqual(rowKeyOf(counted.select({ s: 'sensor', from: 'windowStart', n: 'n' }).node), ['s', 'from'])
    deepEqual(rowKeyOf(counted.where('n', '>', 1).node), ['sensor', 'windowStart'])
    const none = [
      counted.select('sensor', 'n'),
      counted.derive('sensor', ['n'], (n) => n),
      counted.map((row) => row),
      readings
        .keyBy('sensor')
        .window(tumbling(10, 'at', { panes: 'discard' }))
        .aggregate({ n: count() }),
      readings
        .keyBy('sensor')
        .window(session(10, 'at', { allowedLateness: 5, triggers: [late()] }))
        .aggregate({ n: count() }),
      readings.keyBy(({ sensor }) => sensor).aggregate({ n: count() }),
      readings.aggregate({ n: count() }),
      readings
        .keyBy('sensor')
        .window(tumbling(10, 'at', { allowedLateness: 5, triggers: [late()] }))
        .aggregate({ n: count() })
        .shuffle(),
    ]
    deepEqual(rowKeyOf(counted.shuffle().node), ['sensor', 'windowStart'])
    for (const { node } of none) equal(rowKeyOf(node), undefined)
    deepEqual(rowKeyOf(readings.keyBy('sensor').window(session(10, 'at')).aggregate({ n: count() }).node), [
      'sensor',
      'windowStart',
    ])
  })
})

function timeOf({ at }: Reading): number {
  return at
}

function notSame(a: Flow<unknown>, b: Flow<unknown>): void {
  equal(bare(a) === bare(b), false)
}

describe('names that the plan shows to be wrong', () => {
  const some = readings.select('sensor', 'celsius') as unknown as Flow<Reading & { readonly senzor: string }>

  it('L102: are refused when the flow is built', () => {
    const says = /reads field senzor: its events have no such field, did you mean sensor\?; they have sensor, celsius/
    throws(() => some.where('senzor', '=', 'a'), says)
    throws(() => some.keyBy('senzor').aggregate({ n: count() }), says)
    throws(() => some.uniq('senzor'), says)
    throws(() => some.window(tumbling('1m', 'at')).aggregate({ n: count() }), /reads field at/)
    const counted = readings.keyBy('sensor').aggregate({ n: count() })
    throws(() => (counted as unknown as typeof some).select('celsius'), /they have sensor, n/)
  })

  it('L102: so are aggregates of fields of another type', () => {
    const typed = flow(csvSource('a.csv', { columns: { zip: 'text', n: 'integer' } }))
    throws(
      () => typed.aggregate({ m: mean('zip') as never }),
      /cannot have mean\(zip\): it takes numbers, and field zip is text/,
    )
    throws(() => typed.keyBy('zap' as 'zip').aggregate({ n: count() }), /no such field, did you mean zip/)
  })
})
