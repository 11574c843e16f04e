// sluice test: runs the tests of a folder with Node's own test runner.

import * as fs from 'node:fs'
import { join } from 'node:path'
import * as runner from 'node:test'
import { spec } from 'node:test/reporters'
import { SluiceError } from '../base/errors.ts'
import { useEnvFiles } from './env-files.ts'
import { OK, TEST_FAILED } from './exit.ts'
import { type Io, put } from './io.ts'
import { commandInvalid, FILE_OPTIONS, type FileOptions, parse } from './options.ts'

/** `node_modules` have tests of their own. */
const TESTS = '**/*.test.{ts,mts,cts,js,mjs,cjs}'

interface TestOptions extends Pick<FileOptions, 'envFiles' | 'help'> {
  /** Folders and files; the working directory if none is given. */
  readonly paths: readonly string[]
  /** Which tests: those whose names match. */
  readonly names: readonly string[]
}

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
function readTestOptions(argv: readonly string[]): TestOptions {
  const flags = {
    help: FILE_OPTIONS.help,
    'env-file': FILE_OPTIONS['env-file'],
    name: { type: 'string', multiple: true },
  } as const
  const { values, positionals } = parse('test', argv, flags)
  const { name: names = [], 'env-file': envFiles = [], help = false } = values
  return { paths: positionals, names, envFiles, help }
}

/** Runs `sluice test` with its arguments; returns the exit code. */
export async function testCommand(argv: readonly string[], io: Io): Promise<number> {
  const { paths, names, envFiles, help } = readTestOptions(argv)
  if (help) {
    io.stdout.write(testHelp())
    return OK
  }
  useEnvFiles(envFiles)
  const files = (paths.length === 0 ? ['.'] : paths).flatMap(testsIn)
  let failed = 0
  const tests = runner.run({
    files,
    concurrency: true,
    ...(names.length === 0 ? {} : { testNamePatterns: names.map(patternOf) }),
  })
  tests.on('test:fail', () => {
    failed += 1
  })
  for await (const text of tests.compose(new spec())) await put(io.stdout, String(text))
  return failed === 0 ? OK : TEST_FAILED
}

/** @throws {SluiceError} CONFIG_INVALID if there is no such path, or no test in it */
function testsIn(path: string): string[] {
  const stats = fs.statSync(path, { throwIfNoEntry: false })
  if (stats?.isFile() === true) return [path]
  const found = stats?.isDirectory() === true ? fs.globSync(TESTS, { cwd: path, exclude: isElsewhere }) : []
  if (found.length > 0) return found.sort().map((name) => join(path, name))
  const why =
    stats === undefined ? 'there is no such file or folder' : 'it has no file that is called *.test.ts or *.test.js'
  throw new SluiceError('CONFIG_INVALID', `Cannot test ${path}: ${why}`, {
    key: path,
    value: undefined,
    allowed: 'files of tests, or folders that have some',
  })
}

function isElsewhere(name: string): boolean {
  return name === 'node_modules'
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch {
    throw commandInvalid('--name', `--name takes a regular expression: found ${text}`)
  }
}

export function testHelp(): string {
  return `sluice test [PATH …] [--name PATTERN]

Runs the tests in files called *.test.ts or *.test.js, in this folder or those given, with Node's own test runner: there
is nothing to install or configure. In a test, "testPipeline" of "sluice/testing" runs a pipeline in memory.

Options
  --name PATTERN    the tests whose names match a regular expression; may be given several times
  --env-file FILE   reads environment variables from FILE (.env, if there is one); may be given several times

Examples
  sluice test
  sluice test orders.test.ts --name 'dead letters'
`
}
