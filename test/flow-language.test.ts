import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { count } from '../src/aggregate/count.ts'
import { collect } from '../src/engine/collect.ts'
import { Flow } from '../src/flow/flow.ts'
import { flow, flows } from '../src/flow/start-flow.ts'
import { producer, producerConsumer } from '../src/stage/make.ts'
import { every } from '../src/window/trigger.ts'
import { countWindow, globalWindow, tumbling } from '../src/window/window.ts'

const zero = (): number => 0
const sum = (all: number, n: number): number => all + n
const numbers = (to: number): number[] => Array.from({ length: to }, (_, n) => n)
const sorted = (all: readonly number[]): number[] => all.toSorted((a, b) => a - b)

describe('the language of flows', () => {
  it('L1: computes once what two parts of a flow share', async () => {
    let calls = 0
    const shared = flow([1, 2, 3]).map((n) => {
      calls += 1
      return n
    })
    const both = shared.map((n) => n * 10).merge(shared.filter((n) => n > 1))
    deepEqual(sorted(await collect(both)), [2, 3, 10, 20, 30])
    equal(calls, 3)
  })

  it('L4: takes operators behind a reduction, and reductions behind those', async () => {
    const twice = flow(numbers(10))
      .partition({ stages: 2, hash: (n) => n % 2 })
      .reduce(zero, sum)
      .map((n) => n + 1)
      .uniq()
      .reduce(zero, sum)
      .filter((n) => n > 0)
    // One state or two: the keys that `uniq` exchanges by may meet in one stage.
    equal(
      (await collect(twice)).reduce((all, n) => all + n),
      47,
    )
  })

  it('L25: gives one state in all without a partition, also of nothing', async () => {
    deepEqual(await collect(flow(numbers(9)).reduce(zero, sum), { stages: 4 }), [36])
    deepEqual(await collect(flow([] as number[]).reduce(zero, sum), { stages: 4 }), [0])
    deepEqual(
      await collect(
        flow([] as number[])
          .partition({ stages: 3 })
          .reduce(zero, sum),
      ),
      [0, 0, 0],
    )
  })

  it('L35: groupBy gives each key once, also behind a partition by another key', async () => {
    const sold = ['ann tea', 'ann ink', 'bob tea', 'ann pen'].map((text) => text.split(' ') as [string, string])
    const byItem = flow(sold).partition({ stages: 3, key: ([, item]) => item })
    const who = ([user]: [string, string]): string => user
    const what = ([, item]: [string, string]): string => item
    const expected = [
      ['ann', ['ink', 'pen', 'tea']],
      ['bob', ['tea']],
    ]
    // Items of different partitions come in no order.
    const inOrder = (groups: readonly unknown[]): unknown[] =>
      (groups as [string, string[]][]).map(([user, items]) => [user, items.toSorted()]).toSorted()
    deepEqual(inOrder(await collect(byItem.groupBy(who, what))), expected)
    deepEqual(inOrder(await collect(byItem.map((sale) => sale).groupBy(who, what))), expected)
    const windowed = byItem.window(globalWindow()).groupBy(who, what)
    deepEqual(inOrder(await collect(windowed)), expected)
    const merged = byItem.groupBy(who, what).departition(
      () => [] as unknown[],
      (all, groups) => [...all, ...groups],
    )
    deepEqual(inOrder((await collect(merged)).flat()), expected)
  })

  it('T14: uniq in count windows looks at windows of all keys, in any number of stages', async () => {
    const numbers = [1, 1, 2, 1, 1, 2]
    for (const stages of [1, 2, 3]) {
      const firsts = flow(numbers)
        .window(countWindow(3))
        .uniq((n) => n)
      deepEqual((await collect(firsts, { stages })).toSorted(), [1, 1, 2, 2])
    }
    deepEqual(
      await collect(
        flow(numbers)
          .window(countWindow(3))
          .uniq((n) => n),
      ),
      [1, 2, 1, 2],
    )
  })

  it('L25: gives the items of a state, the state, or nothing', async () => {
    const letters = flow(['a', 'b', 'a']).reduce(
      () => new Set<string>(),
      (all, letter) => all.add(letter),
    )
    deepEqual(await collect(letters), ['a', 'b'])
    deepEqual(await collect(letters.emit('state')), [new Set(['a', 'b'])])
    deepEqual(await collect(letters.emit('nothing')), [])
    deepEqual(
      await collect(
        flow(['ab']).reduce(
          () => '',
          (all, text) => all + text,
        ),
      ),
      ['ab'],
    )
  })

  it('L25: gives by onTrigger what is asked for, and goes on with the state that it is told', async () => {
    const pairs = flow([1, 2, 3, 4, 5])
      .window(globalWindow({ triggers: [every(2)] }))
      .reduce(zero, sum)
      .onTrigger(({ state, trigger }) => ({ events: [`${trigger.kind} ${state}`], state: 0 }))
    deepEqual(await collect(pairs), ['every 3', 'every 7', 'end 5'])
  })

  it('L26: gives emitted events and trigger output in causal order', async () => {
    const told = flow([1, 2, 3, 4, 5])
      .window(globalWindow({ triggers: [every(2)] }))
      .emitAndReduce(zero, (all, n) => [[`e${n}`], all + n] as const)
      .onTrigger(({ state }) => ({ events: [`T${state}`] }))
    deepEqual(await collect(told), ['e1', 'e2', 'T3', 'e3', 'e4', 'T10', 'e5', 'T15'])
  })

  it('L20: takes what flatMap gave in its order into emitAndReduce', async () => {
    const seen = flow([1, 2])
      .flatMap((n) => [n, n * 10])
      .emitAndReduce(zero, (all, n) => [[n], all + n] as const)
    deepEqual(await collect(seen), [1, 10, 2, 20])
  })

  it('L29: merges the states of partitions for each window, in the order of windows', async () => {
    const seconds = flow(numbers(40).map((n) => n * 100))
      .partition({ stages: 3, key: (n) => n })
      .window(tumbling('1s', (n) => n))
      .reduce(zero, (n) => n + 1)
      .departition(zero, sum, (n, window) => [window.startMs, n] as const)
    deepEqual(
      await collect(seconds),
      [0, 1000, 2000, 3000].map((startMs) => [startMs, 10]),
    )
  })

  it('groups values by key, in the order of their coming', async () => {
    const groups = await collect(
      flow(['ann 1', 'bob 2', 'ann 3']).groupBy(
        (line) => line.slice(0, 3),
        (line) => line.at(-1),
      ),
    )
    deepEqual(groups, [
      ['ann', ['1', '3']],
      ['bob', ['2']],
    ])
  })

  it('counts windows of events for each key; none trails empty', async () => {
    const by = flow([1, 2, 3, 4, 5, 6])
      .keyBy((n) => n % 2)
      .window(countWindow(3))
      .aggregate({ n: count() })
    deepEqual(
      (await collect(by)).map(({ key, n }) => [key, n]),
      [
        [1, 3],
        [0, 3],
      ],
    )
  })

  it('L24: gives the first ones of all stages', async () => {
    const top = flows([numbers(50), numbers(60).map((n) => n + 30)]).takeSort(3, (a, b) => b - a)
    deepEqual(await collect(top, { stages: 4 }), [[89, 88, 87]])
  })

  it('takes from stages, and goes through stages of your own, afresh for each run', async () => {
    const counter = producer<number>({
      onDemand(_, self) {
        self.emit([1, 2, 3])
        self.complete()
      },
    })
    deepEqual(await collect(flow(counter).map((n) => n * 2)), [2, 4, 6])
    let made = 0
    const through = flow([1, 2, 3]).throughStages(() => {
      made += 1
      return producerConsumer<number, string>({ onEvents: (events) => events.map((n) => `${n}`) })
    })
    deepEqual([await collect(through), await collect(through), made], [['1', '2', '3'], ['1', '2', '3'], 2])
  })

  const misuse: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
    'a text as a source': [() => flow('abc' as never), /flow takes an iterable/],
    'no source at all': [() => flows([]), /flows takes one source or more: found none/],
    'an option that is not known': [() => flow([1], { stage: 2 } as never), /flow .*stage/],
    'no stages': [() => flow([1], { stages: 0 }), /stages of flow/],
    'half a stage': [() => flow([1]).shuffle({ stages: 1.5 }), /stages of shuffle/],
    'a key and a hash': [() => flow([1]).partition({ key: String, hash: Number }), /takes a key or a hash: found both/],
    'emit without a reduction': [() => flow([1]).emit('state'), /emit follows a reduction .*: found array/],
    'departition of events': [() => flow([1]).departition(zero, zero), /departition follows a reduction/],
    'an invalid mode': [
      () =>
        flow([1])
          .reduce(zero, sum)
          .emit('all' as never),
      /mode of emit/,
    ],
    'merging with an array': [() => flow([1]).merge([2] as never), /merge takes flows/],
    'a negative count': [() => flow([1]).take(-1), /count of take 1/],
    'a join in sessions': [
      () => flow([1]).join(flow([1]), { left: Number, right: Number, window: countWindow(1) }),
      /join takes tumbling windows, or none: found count/,
    ],
    'no calls at a time': [() => flow([1]).mapAsync(Number, { concurrency: 0 }), /concurrency of Number/],
    'a batch of none': [() => flow([1]).batch({ size: 0 }), /size of batch/],
    'a result named key': [() => flow([1]).keyBy(Number).aggregate({ key: count() }), /a result named key/],
    'no aggregates': [() => flow([1]).aggregate({}), /needs at least one aggregate/],
    'keys without bound, named otherwise': [() => flow([1]).uniq({ most: 5 } as never), /most/],
  }
  for (const [what, [build, message]] of Object.entries(misuse)) {
    it(`L2: refuses ${what} while a flow is built`, () => throws(build, message))
  }

  it('a flow is known by its shape', () => {
    ok(flow([1]) instanceof Flow)
  })
})
