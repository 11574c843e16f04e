import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Dispatcher } from '../dispatcher.ts'
import { demand } from './demand.ts'
import { fair } from './fair.ts'
import { priority } from './priority.ts'

/** A dispatcher with named consumers, and what it dealt out as `name: events`. */
function table<O>(dispatcher: Dispatcher<number, string, O>, consumers: Readonly<Record<string, O>>) {
  const dealt: string[] = []
  const deliver = {
    events: (name: string, events: readonly number[]) => void dealt.push(`${name}: ${events.join(' ')}`),
    mark: (name: string) => void dealt.push(`${name}: mark`),
  }
  for (const [name, options] of Object.entries(consumers)) dispatcher.subscribe(name, options)
  return {
    dealt,
    ask: (name: string, events: number) => dispatcher.ask(name, events, deliver),
    give: (...events: number[]) => dispatcher.dispatch(events, deliver),
    cancel: (name: string) => dispatcher.cancel(name),
    wanted: () => dispatcher.wanted(),
  }
}

describe('demand dispatcher, in order', () => {
  it('D34: alternates chunk by chunk between consumers that ask for the same', () => {
    const { ask, give, dealt } = table(demand<number>().make(), { a: undefined, b: undefined })
    ask('a', 3)
    ask('b', 3)
    give(0, 1, 2)
    ask('a', 3)
    give(3, 4, 5)
    ask('b', 3)
    give(6, 7, 8)
    deepEqual(dealt, ['a: 0 1 2', 'b: 3 4 5', 'a: 6 7 8'])
  })

  it('D34: serves who asked for most first, whoever came first', () => {
    const { ask, give, dealt } = table(demand<number>().make(), { a: undefined, b: undefined, c: undefined })
    ask('a', 2)
    ask('b', 5)
    ask('c', 3)
    give(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    deepEqual(dealt, ['b: 0 1 2 3 4', 'c: 5 6 7', 'a: 8 9'])
  })

  it('D34: among equals serves who has waited longest; who asks again goes behind them', () => {
    const { ask, give, dealt } = table(demand<number>().make(), { a: undefined, b: undefined, c: undefined })
    ask('a', 1)
    ask('b', 2)
    ask('c', 2)
    ask('a', 1)
    give(0)
    give(1)
    give(2)
    deepEqual(dealt, ['b: 0', 'c: 1', 'a: 2'])
  })

  it('D34: goes on with the highest demand after a part of it was served', () => {
    const { ask, give, dealt } = table(demand<number>().make(), { a: undefined, b: undefined })
    ask('a', 10)
    ask('b', 7)
    give(0, 1)
    give(2, 3)
    give(4)
    deepEqual(dealt, ['a: 0 1', 'a: 2 3', 'b: 4'])
  })

  it('D35: gives a whole burst to one consumer whose demand is large enough', () => {
    const { ask, give, dealt } = table(demand<number>().make(), { a: undefined, b: undefined })
    ask('a', 1000)
    ask('b', 1000)
    give(...Array.from({ length: 1000 }, (_, n) => n))
    equal(dealt.length, 1)
  })

  it('D14: forgets the demand of who leaves', () => {
    const { ask, cancel, give, dealt, wanted } = table(demand<number>().make(), { a: undefined, b: undefined })
    ask('a', 1000)
    ask('b', 10)
    cancel('a')
    equal(wanted(), 10)
    give(0, 1)
    deepEqual(dealt, ['b: 0 1'])
  })

  it('D34: shuffles the consumers once if told to, with the random numbers it was given', () => {
    const { ask, give, dealt } = table(demand<number>({ shuffle: () => 0 }).make(), {
      a: undefined,
      b: undefined,
      c: undefined,
    })
    for (const name of ['a', 'b', 'c']) ask(name, 1)
    give(0, 1, 2)
    deepEqual(dealt, ['b: 0', 'c: 1', 'a: 2'])
  })
})

describe('fair dispatcher, in order', () => {
  it('D36: spreads a burst over all that have asked', () => {
    const { ask, give, dealt } = table(fair<number>().make(), { a: undefined, b: undefined, c: undefined })
    for (const name of ['a', 'b', 'c']) ask(name, 1000)
    give(0, 1, 2, 3, 4, 5, 6)
    deepEqual(dealt, ['a: 0 3 6', 'b: 1 4', 'c: 2 5'])
  })

  it('D36: goes on with whose turn it is, and passes over who has no demand', () => {
    const { ask, give, dealt } = table(fair<number>({ slice: 2 }).make(), { a: undefined, b: undefined, c: undefined })
    ask('a', 10)
    ask('c', 3)
    give(0, 1)
    give(2, 3)
    give(4, 5)
    give(6)
    give(7)
    deepEqual(dealt, ['a: 0 1', 'c: 2 3', 'a: 4 5', 'c: 6', 'a: 7'])
  })

  it('D36: keeps the turns of the others when one leaves', () => {
    const { ask, give, cancel, dealt } = table(fair<number>().make(), { a: undefined, b: undefined, c: undefined })
    for (const name of ['a', 'b', 'c']) ask(name, 10)
    give(0, 1)
    cancel('a')
    give(2)
    give(3)
    deepEqual(dealt, ['a: 0', 'b: 1', 'c: 2', 'b: 3'])
  })
})

describe('priority dispatcher, in order', () => {
  it('D37: serves the highest priority as far as it asked, then the next; among equals the first subscribed', () => {
    const consumers = { spare: { priority: -1 }, first: { priority: 2 }, a: {}, b: {} }
    const { ask, give, dealt } = table(priority<number>().make(), consumers)
    for (const name of Object.keys(consumers)) ask(name, 2)
    give(0, 1, 2, 3, 4, 5, 6)
    deepEqual(dealt, ['first: 0 1', 'a: 2 3', 'b: 4 5', 'spare: 6'])
  })
})
