// node scripts/test.ts LANE [FILE…]: runs the tests of a lane, or these files of it, two at a time.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Lane {
  readonly files: readonly string[]
  /** How often what is tried at random is tried, beside what each test does by default. */
  readonly runs?: string
}

const LANES: Readonly<Record<string, () => Lane>> = {
  all: () => ({ files: ['src/**/*.test.ts', 'test/**/*.test.ts'] }),
  quick: () => ({
    files: [...globSync('src/**/*.test.ts').filter(isAlone), 'test/architecture.test.ts', 'test/rules.test.ts'],
    runs: '0.1',
  }),
  engine: () => ({ files: ['test/engine/**/*.test.ts', 'src/beam/**/*.test.ts'] }),
  faults: () => ({
    files: ['test/faults/**/*.test.ts', 'test/simulation.test.ts', 'test/poison.test.ts', 'test/rescale.test.ts'],
  }),
}

/** Whether a test starts no process: it is at work from its first moment on, and in memory or on disk alone. */
function isAlone(path: string): boolean {
  return !readFileSync(path, 'utf8').includes("'node:child_process'")
}

const [name = 'all', ...given] = process.argv.slice(2)
const lane = LANES[name]?.()
if (lane === undefined) throw new TypeError(`Cannot run ${name}: the lanes are ${Object.keys(LANES).join(', ')}`)

/** What one process has compiled no other compiles again: that is most of the work of a short one. */
const cache = mkdtempSync(join(tmpdir(), 'sluice-compiled-'))
// The tests get an interrupt, too: this process ends after them.
process.on('SIGINT', () => {})
try {
  const files = given.length > 0 ? given : lane.files
  const args = ['--conditions=sluice-source', '--test', '--test-concurrency=2', ...files]
  const runs = lane.runs === undefined ? {} : { TEST_RUNS: lane.runs }
  const child = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: cache, ...runs, ...process.env },
  })
  const [code] = await once(child, 'close')
  process.exitCode = code ?? 1
} finally {
  rmSync(cache, { recursive: true, force: true })
}
