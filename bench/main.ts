// npm run bench [-- NAME …] [--quick] [--large] [--once]: ours against rivals, in one table a question.

import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { benchAccessLog } from './access-log-load.ts'
import { benchDashboard } from './dashboard.ts'
import { benchExchange, benchFlows } from './flows.ts'
import { benchLatency } from './latency.ts'
import { benchLive } from './live.ts'
import { benchEpochs, benchLoads } from './loads.ts'
import { benchMemory } from './memory.ts'
import { benchFanOut, benchStages } from './stages.ts'

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})

const QUESTIONS: Readonly<Record<string, () => void | Promise<void>>> = {
  stages: () => benchStages(values.quick),
  'fan-out': () => benchFanOut(values.quick),
  flows: () => benchFlows(values.quick),
  exchange: () => benchExchange(values.quick),
  loads: () => benchLoads(['sqlite', 'duckdb', 'postgres'], values),
  'loads-sqlite': () => benchLoads(['sqlite'], values),
  'loads-duckdb': () => benchLoads(['duckdb'], values),
  'loads-postgres': () => benchLoads(['postgres'], values),
  epochs: () => benchEpochs(values),
  latency: () => benchLatency(values),
  live: () => benchLive(values),
  memory: () => benchMemory(),
  dashboard: () => benchDashboard(values.quick),
  'access-log-load': () => benchAccessLog(values.quick, values.large),
}

const names =
  positionals.length === 0 ? Object.keys(QUESTIONS).filter((name) => !name.startsWith('loads-')) : positionals
const unknown = names.find((name) => !Object.hasOwn(QUESTIONS, name))
if (unknown === undefined) {
  console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`)
  for (const name of names) await QUESTIONS[name]?.()
} else {
  console.error(`There is no question ${unknown}: there are ${Object.keys(QUESTIONS).join(', ')}`)
  process.exitCode = 64
}
