// Runs the command line as a person would: in a process of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { type RunReport, startPipeline } from 'sluice'
import accessLog from '../../examples/access-log.ts'
import { ROOT } from './project.ts'

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

export interface CliOptions {
  /** A program and its arguments to run it under: `['strace', '-f']`. */
  readonly under?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Its standard input: a descriptor, or one that is written to. Nothing by default. */
  readonly stdin?: number | 'pipe'
  /** Called when the process has started: for what kills it. */
  readonly onStart?: (child: ChildProcess) => void
}

const BIN = join(ROOT, 'src', 'cli', 'bin.ts')
export const ACCESS_LOG: string = join(ROOT, 'examples', 'access-log.ts')

/** Runs `sluice` with arguments, and waits for its end. */
export function sluice(argv: readonly string[], options: CliOptions = {}): Promise<Outcome> {
  const [program = process.execPath, ...before] = [...(options.under ?? []), process.execPath]
  const args = [...before, '--conditions=sluice-source', BIN, ...argv]
  const startedMs = performance.now()
  const child = spawn(program, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
  })
  const stdout: string[] = []
  const stderr: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (text: string) => stdout.push(text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => stderr.push(text))
  options.onStart?.(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      resolve({ code, signal, stdout: stdout.join(''), stderr: stderr.join(''), ms: performance.now() - startedMs })
    })
  })
}

/** The arguments of a load of access logs. */
export function loadArgs(input: string, db: string, ...more: readonly string[]): string[] {
  return ['run', ACCESS_LOG, '--param', `input=${input}`, '--param', `db=${db}`, '--quiet', ...more]
}

/** The same load in this process: for what comes after a fault. */
export async function loadHere(input: string, db: string): Promise<RunReport> {
  const run = await startPipeline(accessLog, { params: new Map(Object.entries({ input, db })) })
  return run.done
}
