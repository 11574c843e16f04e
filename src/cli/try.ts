// sluice try: looks at a source without a file of one's own, and loads it if it is told to.

import { rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { type Explored, explore } from '../explore/explore.ts'
import { jobOf } from '../explore/job.ts'
import { jsonLine } from '../observe/json.ts'
import { redact } from '../observe/redact.ts'
import { exitCodeOfSignal, OK } from './exit.ts'
import { quote } from './help.ts'
import type { Io } from './io.ts'
import { commandInvalid, parse } from './options.ts'
import { runCommand } from './run.ts'
import { exploredJson, exploredText } from './show/explored.ts'
import { tryHelp } from './start-help.ts'

export interface TryOptions {
  readonly source: string | undefined
  readonly into: string | undefined
  readonly json: boolean
  readonly help: boolean
}

/** Together with the start of a process well below ten seconds. */
const TIMES = { findMs: 3000, sampleMs: 3500 }

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readTryOptions(argv: readonly string[]): TryOptions {
  const { values, positionals } = parse('try', argv, {
    into: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const)
  const [source, extra] = positionals
  const { help = false, into } = values
  if (source === undefined && !help) throw commandInvalid('try', 'sluice try needs a source: sluice try SOURCE')
  if (extra !== undefined)
    throw commandInvalid(
      extra,
      `sluice try takes one source: found ${redact(`${source} and ${extra}`)}; several files are one glob in quotes`,
    )
  if (into === '') throw commandInvalid('--into', '--into needs the path of a database file, such as out.sqlite')
  return { source, into, json: values.json ?? false, help }
}

/** Runs `sluice try` with its arguments; returns the exit code. */
export async function tryCommand(argv: readonly string[], io: Io): Promise<number> {
  const { source, into, json, help } = readTryOptions(argv)
  if (source === undefined || help) {
    io.stdout.write(tryHelp())
    return OK
  }
  const folder = await mkdtemp(join(tmpdir(), 'sluice-try-'))
  const stop = (): never => {
    rmSync(folder, { recursive: true, force: true })
    process.exit(exitCodeOfSignal('SIGINT'))
  }
  process.once('SIGINT', stop)
  try {
    const explored = await inLittleMemory(() => explore(source, folder, TIMES))
    // A run ends in its own way.
    process.off('SIGINT', stop)
    const job = jobOf(explored, into ?? `${explored.found.name}.sqlite`)
    if (json) io.stdout.write(jsonLine(exploredJson(source, explored, job)))
    else
      io.stdout.write(
        `${redact(exploredText(source, explored, io.stdout.columns))}\n${job}\n${into === undefined ? advice(source, explored) : ''}`,
      )
    return into === undefined ? OK : await load(job, { explored, folder, argv, json }, io)
  } finally {
    process.off('SIGINT', stop)
    await rm(folder, { recursive: true, force: true })
  }
}

/** Looking at values leaves nothing but garbage behind: the heap need not grow for it. */
const LITTLE_MEMORY = ['--semi-space-growth-factor=1', '--heap-growing-percent=30']
const BY_DEFAULT = ['--semi-space-growth-factor=2', '--heap-growing-percent=0']

async function inLittleMemory<T>(work: () => Promise<T>): Promise<T> {
  for (const flag of LITTLE_MEMORY) setFlagsFromString(flag)
  try {
    return await work()
  } finally {
    for (const flag of BY_DEFAULT) setFlagsFromString(flag)
  }
}

function advice(source: string, { found }: Explored): string {
  const { name, env = {} } = found
  const set = Object.keys(env).map((variable) => `${variable}=… `)
  const shown = Object.keys(env).length === 0 ? quote(source) : 'SOURCE'
  return `Save this as ${name}.ts and run it: ${set.join('')}sluice run ${name}.ts
Or load it as it is:  sluice try ${shown} --into ${name}.sqlite
`
}

interface Loading {
  readonly explored: Explored
  readonly folder: string
  readonly argv: readonly string[]
  readonly json: boolean
}

/** Runs the module that was printed. */
async function load(job: string, { explored, folder, argv, json }: Loading, io: Io): Promise<number> {
  const { name, env = {}, prepare } = explored.found
  const done = await prepare?.()
  if (done !== undefined && !json) io.stdout.write(`${done}\n`)
  Object.assign(process.env, env)
  const file = join(folder, `${name}.ts`)
  await writeFile(file, job)
  return await runCommand([file, ...(json ? ['--json'] : [])], io, undefined, ['try', ...argv])
}
