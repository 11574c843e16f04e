// A flow, and a pipeline of the same, that are told in the module's own URL: the same in every thread.

import { sqliteSink } from '../../src/connect/sqlite/sink.ts'
import type { Flow } from '../../src/flow/flow.ts'
import { pipeline } from '../../src/pipeline/pipeline.ts'
import { builtOf, type Item, type RandomPlan, sourceIn } from '../support/naive-flow.ts'

const asked = new URL(import.meta.url).searchParams
const plan = JSON.parse(asked.get('plan') ?? '') as RandomPlan

const told: Flow<unknown, never> = builtOf(plan).flow
export default told

export const load: ReturnType<typeof pipeline> = pipeline('load', {
  from: () => sourceIn(plan),
  flow: (items: Flow<Item>) => {
    const { flow } = builtOf(plan, items as Flow<Item, never>)
    return flow.map((event) => ({ event: JSON.stringify(event) ?? '' }), { name: 'as text' })
  },
  into: () => sqliteSink<{ readonly event: string }>(asked.get('database') ?? '', { table: 'found' }),
  results: 'append',
}) as ReturnType<typeof pipeline>
