// The files that are read, each made once, by the reference generators beside the project where they are there.

import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { logLines } from '../scripts/make-access-log.ts'
import { benchFile } from './contest.ts'

export const FOLDER: string = benchFile('../.bench')
/** Reference programs and generators, where they were put beside the project. */
export const SHARED: string = benchFile('../../shared/bench')

/** The generators: the name of what they make, and their option for its amount. */
const GENERATORS = {
  words: ['gen-words', 'words.txt', '--bytes', 100_000_000],
  brc: ['gen-brc', 'brc.txt', '--rows', 10_000_000],
  sensors: ['gen-sensors', 'sensors.csv', '--events', 2_000_000],
} as const

/** A file of a reference generator, of `scale` times its usual amount. */
export function makeData(kind: keyof typeof GENERATORS, scale: number): string {
  const [generator, file, option, amount] = GENERATORS[kind]
  return generated(generator, scale === 1 ? file : file.replace('.', `-x${scale}.`), option, amount * scale)
}

/** A log with this many lines. */
export function makeLog(lines: number): string {
  const file = `access-${lines}.log`
  if (existsSync(SHARED)) return generated('gen-accesslog', file, '--lines', lines)
  const path = pathOf(file)
  if (existsSync(path)) return path
  console.log('The reference generator is not beside the project (../shared/bench): the log is made by our own')
  const log = openSync(path, 'w')
  for (const line of logLines({ lines, seed: 1 })) writeSync(log, `${line}\n`)
  closeSync(log)
  return path
}

function generated(generator: string, file: string, option: string, amount: number): string {
  const path = pathOf(file)
  if (existsSync(path)) return path
  const argv = [join(SHARED, 'data-gen', `${generator}.mjs`), '--out', path, option, `${amount}`]
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${generator} failed (${status}): ${stderr.slice(0, 2000)}`)
  return path
}

function pathOf(file: string): string {
  mkdirSync(FOLDER, { recursive: true })
  return join(FOLDER, file)
}
