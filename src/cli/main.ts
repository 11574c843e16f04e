// The commands of `sluice`, and what they have in common: help, errors, exit codes.

import { readFileSync } from 'node:fs'
import { systemClock } from '../base/clock.ts'
import { SluiceError } from '../base/errors.ts'
import { lineLogger } from '../observe/log.ts'
import { checkCommand } from './check.ts'
import { checkpointsCommand } from './checkpoints.ts'
import { COMMAND_WRONG, OK } from './exit.ts'
import { explainCommand, graphCommand } from './explain.ts'
import { tellFailure } from './failure.ts'

import { explainHelp, graphHelp, mainHelp, runHelp } from './help.ts'
import { checkHelp, checkpointsHelp, lettersHelp, serveHelp, topHelp } from './help-keeping.ts'
import type { Io } from './io.ts'
import { lettersCommand } from './letters.ts'
import { nearest } from './nearest.ts'
import { runCommand } from './run.ts'
import { serveCommand } from './serve.ts'
import { topCommand } from './top.ts'

type Command = (argv: readonly string[], io: Io) => Promise<number> | number

const PAGES: Readonly<Record<string, () => string>> = {
  run: runHelp,
  serve: serveHelp,
  explain: explainHelp,
  graph: graphHelp,
  check: checkHelp,
  checkpoints: checkpointsHelp,
  'dead-letters': lettersHelp,
  top: topHelp,
  help: mainHelp,
}

const COMMANDS: Readonly<Record<string, Command>> = {
  run: (argv, io) => (argv.length === 0 ? usage(runHelp(), io) : runCommand(argv, io)),
  serve: (argv, io) => (argv.length === 0 ? usage(serveHelp(), io) : serveCommand(argv, io)),
  explain: (argv, io) => (argv.length === 0 ? usage(explainHelp(), io) : explainCommand(argv, io)),
  graph: (argv, io) => (argv.length === 0 ? usage(graphHelp(), io) : graphCommand(argv, io)),
  check: (argv, io) => (argv.length === 0 ? usage(checkHelp(), io) : checkCommand(argv, io)),
  checkpoints: (argv, io) => (argv.length === 0 ? usage(checkpointsHelp(), io) : checkpointsCommand(argv, io)),
  'dead-letters': (argv, io) => (argv.length === 0 ? usage(lettersHelp(), io) : lettersCommand(argv, io)),
  top: (argv, io) => (argv.length === 0 ? usage(topHelp(), io) : topCommand(argv, io)),
  help: (argv, io) => help(argv, io),
  '--help': (argv, io) => help(argv, io),
  '-h': (argv, io) => help(argv, io),
  '--version': (_argv, io) => print(`${version()}\n`, io),
}

/** Runs a command line; gives its exit code. Never throws. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv
  try {
    if (name === undefined) return usage(mainHelp(), io)
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (command === undefined) throw unknown(name, Object.keys(COMMANDS))
    return await command(rest, io)
  } catch (error) {
    const format = wantsJsonLog(rest) ? 'json' : 'text'
    const log = lineLogger({ format, write: (line) => io.stderr.write(line), wallMs: systemClock.wallMs })
    return tellFailure(error, { io, log, isJson: name === 'run' && rest.includes('--json') })
  }
}

function help([command]: readonly string[], io: Io): number {
  if (command === undefined) return print(mainHelp(), io)
  const page = Object.hasOwn(PAGES, command) ? PAGES[command] : undefined
  if (page === undefined) throw unknown(command, Object.keys(PAGES))
  return print(page(), io)
}

function print(text: string, io: Io): number {
  io.stdout.write(text)
  return OK
}

/** Help that nobody asked for: something is missing. */
function usage(text: string, io: Io): number {
  io.stderr.write(text)
  return COMMAND_WRONG
}

function unknown(name: string, known: readonly string[]): SluiceError {
  const meant = nearest(name, known)
  const hint =
    meant === undefined
      ? 'there are run, serve, check, explain, graph, checkpoints, dead-letters, top and help'
      : `did you mean ${meant}?`
  const what = name.startsWith('-') ? 'option' : 'command'
  return new SluiceError('COMMAND_INVALID', `There is no ${what} ${name}: ${hint}`, { argument: name })
}

/** Whether failures are to be written as JSON: asked for even where the other options cannot be read. */
function wantsJsonLog(argv: readonly string[]): boolean {
  return argv.some((word, index) => word === '--log=json' || (word === '--log' && argv[index + 1] === 'json'))
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return String((manifest as { readonly version: unknown }).version)
}
