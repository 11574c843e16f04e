// The commands of `sluice`, and what they have in common: help, errors, exit codes.

import { nearest } from '../base/nearest.ts'
import { SINKS } from '../scaffold/sinks.ts'
import { SOURCES } from '../scaffold/sources.ts'
import { checkHelp, checkpointsHelp, deadLettersHelp, serveHelp, topHelp, workerPoolHelp } from './admin-help.ts'
import { readCheckOptions, readCheckpointsOptions, readDeadLettersOptions } from './admin-options.ts'
import { check } from './check.ts'
import { checkpoints } from './checkpoints.ts'
import { deadLetters } from './dead-letters.ts'
import { dev } from './dev.ts'
import { useEnvFiles } from './env-files.ts'
import { COMMAND_WRONG, OK } from './exit.ts'
import { tell } from './explain.ts'
import { tellFailure } from './failure.ts'
import { explainHelp, graphHelp, mainHelp, quote, runHelp } from './help.ts'
import { initCommand } from './init.ts'
import { type Io, logTo } from './io.ts'
import { commandInvalid, type FileOptions, readExplainOptions, readServeOptions } from './options.ts'
import { preview } from './preview.ts'
import { devHelp, previewHelp } from './preview-help.ts'
import { readPreviewOptions } from './preview-options.ts'
import { runCommand } from './run.ts'
import { testCommand, testHelp } from './run-tests.ts'
import { serve } from './serve.ts'
import { initHelp, tryHelp } from './start-help.ts'
import { topCommand } from './top.ts'
import { tryCommand } from './try.ts'
import { version } from './version.ts'
import { workerPool } from './worker-pool.ts'

const HELP = ['help', '--help', '-h']
const VERSION = ['--version', '-v']

interface Command {
  readonly page: () => string
  readonly run: (argv: readonly string[], io: Io) => Promise<number>
  /** Set for a command that runs without arguments, too. */
  readonly needsNothing?: true
}

const COMMANDS: Readonly<Record<string, Command>> = {
  run: { page: runHelp, run: runCommand },
  try: { page: tryHelp, run: tryCommand },
  init: { page: () => initHelp(Object.keys(SOURCES), Object.keys(SINKS)), run: initCommand, needsNothing: true },
  serve: ofFile(serveHelp, readServeOptions, serve),
  explain: ofFile(explainHelp, (argv) => readExplainOptions('explain', argv), tell('words')),
  graph: ofFile(graphHelp, (argv) => readExplainOptions('graph', argv), tell('mermaid')),
  preview: ofFile(previewHelp, (argv) => readPreviewOptions('preview', argv), preview),
  dev: ofFile(devHelp, (argv) => readPreviewOptions('dev', argv), dev),
  check: ofFile(checkHelp, readCheckOptions, check),
  checkpoints: ofFile(checkpointsHelp, readCheckpointsOptions, checkpoints),
  'dead-letters': ofFile(deadLettersHelp, readDeadLettersOptions, deadLetters),
  test: { page: testHelp, run: testCommand, needsNothing: true },
  top: { page: topHelp, run: topCommand },
  'worker-pool': { page: workerPoolHelp, run: workerPool },
}

/** A command that prints its help if it gets no file. */
function ofFile<O extends FileOptions>(
  page: () => string,
  read: (argv: readonly string[]) => O,
  run: (options: O & { readonly file: string }, io: Io) => Promise<number>,
): Command {
  return {
    page,
    async run(argv, io) {
      const options = read(argv)
      const { file, help } = options
      if (!help) useEnvFiles(options.envFiles)
      return help || file === undefined ? print(page(), io) : await run({ ...options, file }, io)
    },
  }
}

/** Runs a command line; returns its exit code. Never throws. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv
  try {
    if (name === undefined) return usage(mainHelp(), io)
    if (HELP.includes(name)) return help(rest, io)
    if (VERSION.includes(name)) return print(`${version()}\n`, io)
    const command = commandOf(name, ['help', '--help', '--version'])
    const isMissing = rest.length === 0 && command.needsNothing !== true
    return isMissing ? usage(command.page(), io) : await command.run(rest, io)
  } catch (error) {
    const format = wantsJsonLog(rest) ? 'json' : 'text'
    const log = logTo(io, { log: format })
    return tellFailure(error, { io, log, isJson: name === 'run' && rest.includes('--json') })
  }
}

function help([command]: readonly string[], io: Io): number {
  if (command === undefined) return print(mainHelp(), io)
  return print(command === 'help' ? mainHelp() : commandOf(command, ['help']).page(), io)
}

function print(text: string, io: Io): number {
  io.stdout.write(text)
  return OK
}

/** Help that was not requested: something is missing. */
function usage(text: string, io: Io): number {
  io.stderr.write(text)
  return COMMAND_WRONG
}

/**
 * @param others - what may have been meant beside commands
 */
function commandOf(name: string, others: readonly string[]): Command {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command !== undefined) return command
  const isOption = name.startsWith('-')
  const alike = [...Object.keys(COMMANDS), ...others].filter((one) => one.startsWith('-') === isOption)
  // A file in place of the command is to be run.
  const meant = /\.[cm]?[jt]s$/.test(name) ? `sluice run ${quote(name)}` : nearest(name, alike)
  const hint = meant === undefined ? '' : ` did you mean ${meant}?`
  throw commandInvalid(name, `There is no ${isOption ? 'option' : 'command'} ${name}:${hint} sluice --help lists all`)
}

/** Whether failures are printed as JSON: requested even if the other options cannot be read. */
function wantsJsonLog(argv: readonly string[]): boolean {
  return argv.some((word, index) => word === '--log=json' || (word === '--log' && argv[index + 1] === 'json'))
}
