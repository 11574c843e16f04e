// npm run bench [-- NAME …] [--quick] [--large] [--once] [--markdown FILE [--note TEXT]]: ours against rivals, in one
// table a question.

import { parseArgs } from 'node:util'
import { benchAccessLog } from './access-log-load.ts'
import { benchDashboard } from './dashboard.ts'
import { benchExchange, benchFlows, benchStart } from './flows.ts'
import { benchLatency } from './latency.ts'
import { benchLive } from './live.ts'
import { benchEpochs, benchLoads } from './loads.ts'
import { benchMemory } from './memory.ts'
import { machine, writeTablesTo } from './report.ts'
import { benchFanOut, benchStages } from './stages.ts'
import { WORKS } from './works.ts'

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
    markdown: { type: 'string' },
    note: { type: 'string', default: '' },
  },
  allowPositionals: true,
})

type Questions = Readonly<Record<string, () => void | Promise<void>>>

const QUESTIONS: Questions = {
  stages: () => benchStages(values),
  'fan-out': () => benchFanOut(values),
  flows: () => benchFlows(Object.keys(WORKS), values),
  exchange: () => benchExchange(values),
  start: () => benchStart(values),
  loads: () => benchLoads(['sqlite', 'duckdb', 'postgres'], values),
  epochs: () => benchEpochs(values),
  latency: () => benchLatency(values),
  live: () => benchLive(values),
  memory: () => benchMemory(),
  dashboard: () => benchDashboard(values.quick),
  'access-log-load': () => benchAccessLog(values),
}
/** Parts of questions, each by its own name. */
const PARTS: Questions = {
  ...Object.fromEntries(Object.keys(WORKS).map((work) => [work, () => benchFlows([work], values)])),
  'loads-sqlite': () => benchLoads(['sqlite'], values),
  'loads-duckdb': () => benchLoads(['duckdb'], values),
  'loads-postgres': () => benchLoads(['postgres'], values),
}

const all = { ...QUESTIONS, ...PARTS }
const names = positionals.length === 0 ? Object.keys(QUESTIONS) : positionals
const unknown = names.find((name) => !Object.hasOwn(all, name))
if (unknown === undefined) {
  console.log(machine())
  if (values.markdown !== undefined) writeTablesTo(values.markdown, values.note)
  for (const name of names) await all[name]?.()
} else {
  console.error(`There is no question ${unknown}: there are ${Object.keys(all).join(', ')}`)
  process.exitCode = 64
}
