// sluice init: writes a project to begin with.

import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { errnoOf, messageOf, SluiceError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { RELEASES } from '../connect/kits/package.ts'
import { plainName } from '../scaffold/code.ts'
import { projectFiles } from '../scaffold/project.ts'
import { SINKS } from '../scaffold/sinks.ts'
import { SOURCES, type SourceTemplate } from '../scaffold/sources.ts'
import { exitCodeOfSignal, OK } from './exit.ts'
import { quote } from './help.ts'
import type { Io } from './io.ts'
import { commandInvalid, parse } from './options.ts'
import { initHelp } from './start-help.ts'
import { version } from './version.ts'

export interface InitOptions {
  readonly folder: string
  readonly source: string | undefined
  readonly sink: string | undefined
  readonly key: string | undefined
  readonly help: boolean
}

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readInitOptions(argv: readonly string[]): InitOptions {
  const { values, positionals } = parse('init', argv, {
    source: { type: 'string' },
    sink: { type: 'string' },
    key: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const)
  const [folder = '.', extra] = positionals
  if (extra !== undefined) throw commandInvalid(extra, `sluice init takes one folder: found ${folder} and ${extra}`)
  const { source, sink, key, help = false } = values
  return { folder, source: named('--source', source, SOURCES), sink: named('--sink', sink, SINKS), key, help }
}

function named(option: string, given: string | undefined, all: Readonly<Record<string, unknown>>): string | undefined {
  if (given === undefined || Object.hasOwn(all, given)) return given
  const names = Object.keys(all)
  const meant = nearest(given, names)
  const hint = meant === undefined ? `it takes ${names.join(', ')}` : `did you mean ${meant}?`
  throw commandInvalid(given, `${option} cannot be ${given}: ${hint}`)
}

/** Runs `sluice init` with its arguments; returns the exit code. */
export async function initCommand(argv: readonly string[], io: Io): Promise<number> {
  const options = readInitOptions(argv)
  if (options.help) {
    io.stdout.write(initHelp(Object.keys(SOURCES), Object.keys(SINKS)))
    return OK
  }
  const answers = await answered(options, io)
  if (answers === undefined) {
    io.stderr.write('\nnothing was written\n')
    return exitCodeOfSignal('SIGINT')
  }
  const { source = 'csv', sink = 'sqlite', key } = answers
  checkKey(source, key)
  const folder = resolve(options.folder)
  const name = plainName(`${basename(folder)}.`)
  const files = projectFiles({ name, source, sink, key, releaseOf })
  const existing = [...files].filter(([path, text]) => !write(join(folder, path), text)).map(([path]) => path)
  io.stdout.write(told({ folder, files: [...files.keys()], existing }))
  return OK
}

function releaseOf(name: string): string {
  if (name === 'sluice') return `^${version()}`
  const release = RELEASES[name]
  return release === undefined || release === 'latest' ? 'latest' : `^${release}`
}

/** What the options leave open, asked on a terminal; undefined if the answer is to leave it. */
async function answered(
  options: InitOptions,
  { stdout }: Io,
): Promise<Pick<InitOptions, 'source' | 'sink' | 'key'> | undefined> {
  const isOpen = options.source === undefined || options.sink === undefined
  if (!isOpen || stdout.isTTY !== true || process.stdin.isTTY !== true) return options
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // Ctrl-C and Ctrl-D close it, and nothing would answer any more.
  const closed = new AbortController()
  terminal.once('close', () => closed.abort())
  const question = async (text: string): Promise<string> =>
    (await terminal.question(text, { signal: closed.signal })).trim()
  const choice = async (text: string, all: Readonly<Record<string, unknown>>, byDefault: string): Promise<string> => {
    stdout.write(`${Object.keys(all).join(' ')}\n`)
    for (;;) {
      const answer = (await question(`${text} (${byDefault}): `)) || byDefault
      if (Object.hasOwn(all, answer)) return answer
      stdout.write(`There is no ${answer}: choose one of the names above\n`)
    }
  }
  try {
    const source = options.source ?? (await choice('Where does the data come from?', SOURCES, 'csv'))
    const sink = options.sink ?? (await choice('Where does it go?', SINKS, 'sqlite'))
    const key = options.key ?? (await question('The field that identifies a row, if there is one (none): '))
    return { source, sink, key: key === '' ? undefined : key }
  } catch (thrown) {
    if (closed.signal.aborted) return undefined
    throw thrown
  } finally {
    terminal.close()
  }
}

function checkKey(source: string, key: string | undefined): void {
  if (key === undefined) return
  if (!/^[A-Za-z_]\w{0,62}$/.test(key)) throw commandInvalid(key, `--key must be the name of a field: found ${key}`)
  const { rows } = (SOURCES[source] as (key: string) => SourceTemplate)(key)
  if (rows.fields.includes(key)) return
  throw commandInvalid(key, `--key of ${source} must be one of ${rows.fields.join(', ')}: found ${key}`)
}

/** Writes a file; false if there is one already, which stays as it is. */
function write(path: string, text: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (thrown) {
    if (errnoOf(thrown) === 'EEXIST') return false
    const message = `Cannot write ${path}: ${messageOf(thrown)}`
    throw new SluiceError('STORAGE_FAILED', message, { path, errno: errnoOf(thrown) }, { cause: thrown })
  }
}

interface Written {
  readonly folder: string
  readonly files: readonly string[]
  readonly existing: readonly string[]
}

function told({ folder, files, existing }: Written): string {
  const written = files.filter((path) => !existing.includes(path))
  const kept = existing.length === 0 ? '' : `left as they are, they exist: ${existing.join(', ')}\n`
  const near = relative('.', folder)
  const place = near.startsWith('..') ? folder : near
  const enter = place === '' ? '' : `cd ${quote(place)} && `
  return `wrote ${written.length === 0 ? 'nothing' : written.join(', ')}
${kept}
Next: ${enter}npm install && npm test && npm start
`
}
