// Flows without a file: what passing events from stage to stage costs, and what a run costs.

import { flow, sum } from 'sluice'

const events = Number(process.env.EVENTS ?? 1)

function* numbers(): Generator<number> {
  for (let n = 1; n <= events; n += 1) yield n
}

export const range = flow(numbers)
  .map((n) => n * 2)
  .partition({ stages: 2 })
  .reduce(
    () => 0,
    (all, n) => all + n,
  )

function* records(): Generator<{
  id: number
  at: number
  x: number
  y: number
  kind: string
  place: string
  name: string
}> {
  for (let n = 0; n < events; n += 1) {
    yield { id: n, at: n * 10, x: n / 3, y: n % 17, kind: `k${n % 8}`, place: `p${n % 100}`, name: `item ${n}` }
  }
}

export const objects = flow(records)
  .partition({ stages: 2, key: ({ place }) => place })
  .reduce(
    () => 0,
    (all, { y }) => all + y,
  )

/** The same exchange by name. */
export const named = flow(records)
  .partition({ stages: 2, key: 'place' })
  .aggregate({ y: sum('y') })

export const empty = flow([] as number[]).map((n) => n)
