// The commands of `sluice`, and what they have in common: help, errors, exit codes.

import { readFileSync } from 'node:fs'
import { systemClock } from '../base/clock.ts'
import { SluiceError } from '../base/errors.ts'
import { lineLogger } from '../observe/log.ts'
import { CANNOT_WRITE, exitCodeOf, OK } from './exit.ts'
import { graphCommand } from './graph.ts'
import { graphHelp, mainHelp, runHelp } from './help.ts'
import type { Io } from './io.ts'
import { nearest } from './nearest.ts'
import { logFailure, runCommand } from './run.ts'

type Command = (argv: readonly string[], io: Io) => Promise<number> | number

const COMMANDS: Readonly<Record<string, Command>> = {
  run: (argv, io) => (argv.length === 0 ? print(runHelp(), io, 64) : runCommand(argv, io)),
  graph: (argv, io) => (argv.length === 0 ? print(graphHelp(), io, 64) : graphCommand(argv, io)),
  help: ([command], io) =>
    print(command === 'run' ? runHelp() : command === 'graph' ? graphHelp() : mainHelp(), io, OK),
  '--help': (_argv, io) => print(mainHelp(), io, OK),
  '-h': (_argv, io) => print(mainHelp(), io, OK),
  '--version': (_argv, io) => print(`${version()}\n`, io, OK),
}

/** Runs a command line; gives its exit code. Never throws. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv
  try {
    if (name === undefined) return print(mainHelp(), io, 64)
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (command === undefined) throw unknownCommand(name)
    return await command(rest, io)
  } catch (error) {
    const exitCode = exitCodeOf(error)
    const format = wantsJson(rest) ? 'json' : 'text'
    logFailure(
      error,
      exitCode,
      lineLogger({ format, write: (line) => io.stderr.write(line), wallMs: systemClock.wallMs }),
    )
    return exitCode
  }
}

/** Runs this process's command line and ends the process. */
export async function runProcess(): Promise<void> {
  /** Who was reading our output has gone: nothing is printed any more, the load goes on. */
  let isUnheard = false
  for (const out of [process.stdout, process.stderr]) {
    out.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') isUnheard = true
      else throw error
    })
  }
  const argv = process.argv.slice(2)
  const code = await main(argv, { stdout: process.stdout, stderr: process.stderr, env: process.env })
  process.exit(isUnheard && code === OK && argv[0] === 'run' ? CANNOT_WRITE : code)
}

function print(text: string, io: Io, code: number): number {
  ;(code === OK ? io.stdout : io.stderr).write(text)
  return code
}

function unknownCommand(name: string): SluiceError {
  const known = ['run', 'graph', 'help']
  const meant = nearest(name, known)
  const hint = meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`
  return new SluiceError('COMMAND_INVALID', `Unknown command ${name}: ${hint}`, { argument: name })
}

/** Whether failures are to be written as JSON: asked for even where the other options cannot be read. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some((word, index) => word === '--log=json' || (word === '--log' && argv[index + 1] === 'json'))
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return String((manifest as { readonly version: unknown }).version)
}
