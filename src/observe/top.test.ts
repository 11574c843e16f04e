import { deepEqual, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { TopCounter } from './top.ts'

describe('TopCounter', () => {
  it('counts as a map does while there are no more values than its size', () => {
    const few = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'))
    fc.assert(
      fc.property(few, (values) => {
        const counter = new TopCounter({ size: 5 })
        const counts = new Map<string, number>()
        for (const value of values) {
          counter.add(value)
          counts.set(value, (counts.get(value) ?? 0) + 1)
        }
        const { values: top, exact } = counter.top(5)
        ok(exact)
        deepEqual(new Map(top), counts)
      }),
    )
  })

  it('finds every value that is more than one in its size, with a count not above the truth', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 2000 }), fc.nat(4), (noise, heavy) => {
        const values = noise.flatMap((n) => (n % 3 === 0 ? [`heavy ${heavy}`] : [`${n}`]))
        const counter = new TopCounter({ size: 20 })
        for (const value of values) counter.add(value)
        const { values: top } = counter.top(20)
        for (const value of new Set(values)) {
          const truth = values.filter((one) => one === value).length
          const found = top.find(([one]) => one === value)?.[1] ?? 0
          ok(found <= truth)
          if (truth > values.length / 20) ok(found > 0, `${value} is ${truth} of ${values.length} and was lost`)
        }
      }),
    )
  })

  it('says that its counts are estimates once it has let a value go', () => {
    const counter = new TopCounter({ size: 1 })
    for (const value of ['a', 'b', 'a']) counter.add(value)
    deepEqual(counter.top(3), {
      values: [
        ['a', 2],
        ['b', 1],
      ],
      distinct: 2,
      exact: true,
    })
    counter.add('c')
    deepEqual(counter.top(3), { values: [['a', 1]], distinct: 1, exact: false })
  })

  it('names values that are equally common in the order of their text', () => {
    const counter = new TopCounter({ size: 9 })
    for (const value of ['b', 'c', 'a', 'c']) counter.add(value)
    deepEqual(counter.top(2).values, [
      ['c', 2],
      ['a', 1],
    ])
  })

  it('keeps no more of a value than 256 characters', () => {
    const counter = new TopCounter({ size: 9 })
    counter.add('x'.repeat(1_000_000))
    counter.add('x'.repeat(256))
    deepEqual(counter.top(2).values, [
      ['x'.repeat(256), 1],
      [`${'x'.repeat(256)}…`, 1],
    ])
  })

  it('keeps no line in memory that a value was cut out of', () => {
    const counter = new TopCounter({ size: 2000 })
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < 2000; i += 1) {
      const line = Buffer.alloc(50_000, `value number ${String(i).padStart(6, '0')} `).toString('latin1')
      counter.add(line.slice(0, 19))
    }
    // 2000 such lines are 100 MB; what is left of them before the collector comes is far less.
    ok(process.memoryUsage().heapUsed - before < 60e6)
    deepEqual(counter.top(1).values, [['value number 000000', 1]])
  })
})
