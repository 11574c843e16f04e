// How fast is an access log loaded into SQLite, and how much memory does it take?

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { benchFile, type Contestant, hold } from './contest.ts'
import { FOLDER, makeLog } from './data.ts'
import { type Effort, runsOf, scalesOf } from './effort.ts'

const HAND = 'a hand-written loop'

export function benchAccessLog(effort: Effort): void {
  for (const scale of scalesOf(effort)) {
    const lines = 1_000_000 * scale
    const log = makeLog(lines)
    const bytes = statSync(log).size
    hold({
      title: `Access log into SQLite: ${lines.toLocaleString('en')} lines, ${Math.round(bytes / 1e6)} MB, one thread`,
      unit: 'lines/s',
      amount: lines,
      base: { name: HAND, as: 'hand' },
      runs: runsOf(effort, scale),
      contestants: [contestant('Sluice', 'load-ours.ts', log), contestant(HAND, 'load-hand.ts', log)],
    })
  }
}

function contestant(name: string, file: string, log: string): Contestant {
  return { name, argv: [benchFile(`contestants/${file}`), log, join(FOLDER, `${file}.db`)] }
}
