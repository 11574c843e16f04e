// A random plan as a pipeline that an engine can run: its events and how many there are of each, by a key.

import { count, type Flow, pipeline, sqliteSink } from 'sluice'
import { builtOf, type Item, type RandomPlan, sourceIn } from '../../support/naive-flow.ts'

const asked = new URL(import.meta.url).searchParams
const plan = JSON.parse(asked.get('plan') ?? '') as RandomPlan

export default pipeline('load', {
  from: () => sourceIn(plan),
  flow: (items: Flow<Item>) =>
    builtOf(plan, items as Flow<Item, never>)
      .flow.map((event) => ({ event: JSON.stringify(event) ?? '' }), { name: 'as text' })
      .keyBy('event')
      .aggregate({ n: count() }),
  into: () => sqliteSink(asked.get('database') ?? '', { table: 'found', key: ['event'] }),
}) as ReturnType<typeof pipeline>
