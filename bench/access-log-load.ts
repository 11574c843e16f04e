// How fast is an access log loaded into SQLite, and how much memory does it take?

import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { logLines } from '../scripts/make-access-log.ts'
import { benchFile, type Contestant, hold } from './contest.ts'

export const FOLDER: string = benchFile('../.bench')
/** The reference generator, where it was put beside the project. */
const GENERATOR = benchFile('../../shared/bench/data-gen/gen-accesslog.mjs')

export function benchAccessLog(isQuick: boolean, isLarge: boolean): void {
  const sizes = isQuick ? [50_000] : isLarge ? [1_000_000, 5_000_000] : [1_000_000]
  for (const lines of sizes) {
    const log = makeLog(lines)
    const bytes = statSync(log).size
    hold({
      title: `Access log into SQLite: ${lines.toLocaleString('en')} lines, ${Math.round(bytes / 1e6)} MB, one thread`,
      unit: 'lines/s',
      amount: lines,
      runs: isQuick || lines > 1_000_000 ? 1 : 3,
      contestants: [
        contestant('Sluice', 'load-ours.ts', log, true),
        contestant('a hand-written loop', 'load-hand.ts', log, false),
      ],
    })
  }
}

function contestant(name: string, file: string, log: string, isOurs: boolean): Contestant {
  return { name, argv: [benchFile(`contestants/${file}`), log, join(FOLDER, `${file}.db`)], isOurs }
}

/** A log with this many lines, made once. */
export function makeLog(lines: number): string {
  mkdirSync(FOLDER, { recursive: true })
  const path = join(FOLDER, `access-${lines}.log`)
  if (existsSync(path)) return path
  if (existsSync(GENERATOR)) {
    spawnSync(process.execPath, [GENERATOR, '--out', path, '--lines', `${lines}`], { stdio: 'ignore' })
    return path
  }
  console.log('The reference generator is not beside the project (../shared/bench): the log is made by our own')
  const file = openSync(path, 'w')
  for (const line of logLines({ lines, seed: 1 })) writeSync(file, `${line}\n`)
  closeSync(file)
  return path
}
