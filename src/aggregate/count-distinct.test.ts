import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { countDistinct } from './count-distinct.ts'
import type { Value } from './value.ts'

const { create, add, merge, result, save, load } = countDistinct((value: Value | undefined) => value)

/** What sorts of values are counted: each gives a different one for every number. */
const SORTS: Record<string, (i: number) => Value> = {
  integers: (i) => i,
  'large integers': (i) => 2 ** 40 + i * 4096,
  fractions: (i) => i / 7,
  'short strings': (i) => `u${i}`,
  'long strings': (i) => `https://example.org/products/${i}/reviews?page=${i % 7}`,
  bigints: (i) => BigInt(i) << 70n,
}

describe('countDistinct', () => {
  it('counts exactly up to 1,000 values, each type by itself', () => {
    const mixed: (Value | undefined)[] = [1, '1', 1n, true, 'true', null, 'null', 0, -0, undefined]
    equal(result(mixed.reduce(add, create())), 8)
    const thousand = Array.from({ length: 3000 }, (_, i) => i % 1000)
    equal(result(thousand.reduce(add, create())), 1000)
  })

  for (const [name, value] of Object.entries(SORTS)) {
    it(`beyond that is within 3 standard errors of 0.8 %, for ${name}`, () => {
      const state = create()
      let checked = 1500
      for (let i = 0; i < 200_000; i += 1) {
        add(state, value(i))
        if (i + 1 !== checked) continue
        ok(Math.abs(result(state) / checked - 1) <= 3 * 0.0082, `${result(state)} of ${checked}`)
        checked *= 3
      }
    })
  }

  it('is the same whole, split, overlapping, saved and loaded', () => {
    const all = Array.from({ length: 5000 }, (_, i) => `key ${i}`)
    const whole = result(all.reduce(add, create()))
    const parts = [all.slice(0, 900), all.slice(700, 4000), all.slice(3000), all.slice(10, 20)]
    const states = parts.map((part) => part.reduce(add, create()))
    const copies = () => states.map((state) => load(JSON.parse(JSON.stringify(save(state)))))
    equal(result(copies().reduce((into, other) => merge?.(into, other) ?? into)), whole)
    equal(result(copies().reduceRight((into, other) => merge?.(into, other) ?? into)), whole)
    equal(result(load(structuredClone(save(states[1] as never)))), result(states[1] as never))
  })

  it('turns over to an estimate by a merge as it does by events', () => {
    const all = Array.from({ length: 1001 }, (_, i) => i)
    const merged = merge?.(all.slice(0, 600).reduce(add, create()), all.slice(400).reduce(add, create()))
    deepEqual(merged, all.reduce(add, create()))
  })

  it('refuses what is equal to nothing', () => {
    const needs = 'strings, numbers, bigints, booleans and null'
    throws(() => add(create(), Number.NaN), {
      message: `Cannot add an event to countDistinct: it takes ${needs}, found NaN`,
    })
    throws(() => add(create(), [] as never), TypeError)
  })
})
