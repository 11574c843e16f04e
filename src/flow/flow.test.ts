import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { Flow } from './flow.ts'
import { nodesOf, type Operator } from './plan.ts'

const isEven = (n: number): boolean => n % 2 === 0

/** What a flow does, in order, after its input. */
function operatorsOf({ node }: Pick<Flow<unknown>, 'node'>): readonly Operator[] {
  return nodesOf(node)
    .map(({ operator }) => operator)
    .slice(1)
}

describe('Flow', () => {
  it('is not changed by what continues it', () => {
    const first = new Flow<number>().map((n) => n + 1)
    first.filter(isEven)
    first.flatMap((n) => [n, n])
    equal(operatorsOf(first).length, 1)
  })

  it('names an operator after its function, its kind and place, or as told', () => {
    const flow = new Flow<number>()
      .filter(isEven)
      .map((n) => n + 1)
      .reject(isEven)
      .validate(z.number())
      .flatMap((n) => [n], { name: 'wrap' })
    deepEqual(
      operatorsOf(flow).map(({ name }) => name),
      ['isEven', 'map 2', 'isEven', 'validate 4', 'wrap'],
    )
  })

  it('refuses what is no function, while it is being built', () => {
    throws(() => new Flow<number>().map('n + 1' as never), /map takes a function: found "n \+ 1"/)
  })

  it('refuses an invalid schema', () => {
    throws(() => new Flow<number>().validate({} as never), /validate 1 takes a Standard Schema: found none/)
  })

  it('carries types from step to step', () => {
    const flow: Flow<{ readonly text: string }> = new Flow<number>().map((n) => `${n}`).map((text) => ({ text }))
    // @ts-expect-error: what flows here is text, not numbers
    flow.map((row) => row.text.toFixed())
    equal(operatorsOf(flow).length, 2)
  })
})
