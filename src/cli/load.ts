// Loads a user's module and finds the pipeline in it.

import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, extname, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describeValue } from '../base/check.ts'
import { messageOf, SluiceError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { resolveOwnName } from '../engine/own-name.ts'
import type { Flow } from '../flow/flow.ts'
import { isFlow } from '../flow/is-flow.ts'
import type { Params } from '../pipeline/param.ts'
import { isPipeline, type Pipeline } from '../pipeline/pipeline.ts'

/** What the command line runs: the default export of a module. */
export type Loaded =
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline<Params>; readonly module: URL }
  | { readonly kind: 'flow'; readonly flow: Flow<unknown, unknown>; readonly module: URL }

/**
 * The pipeline or flow that a module exports as its default.
 *
 * @throws {SluiceError} CONFIG_INVALID if there is no such file, it cannot be loaded, or it exports something else
 */
export async function load(file: string): Promise<Loaded> {
  const loaded = await loadIfAny(file)
  if (loaded === undefined) throw unusable(file, wrongExport('no default export'))
  return loaded
}

/**
 * The same; undefined for a module without a default export, as parts of other modules have none.
 *
 * @throws {SluiceError} CONFIG_INVALID if there is no such file, it cannot be loaded, or it exports something else
 */
export async function loadIfAny(file: string): Promise<Loaded | undefined> {
  const path = resolve(file)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw unusable(file, `there is no such file${meantBy(path)}`)
  if (stats.isDirectory()) throw unusable(file, 'it is a directory; sluice serve runs all pipelines of one')
  resolveOwnName()
  const module = await importModule(file, path)
  if (isPipeline(module.default)) return { kind: 'pipeline', pipeline: module.default, module: pathToFileURL(path) }
  if (isFlow(module.default)) return { kind: 'flow', flow: module.default, module: pathToFileURL(path) }
  if (!('default' in module)) return undefined
  throw unusable(file, wrongExport(describeValue(module.default)))
}

/** The module of the folder that was probably meant, as a suggestion for an error. */
function meantBy(path: string): string {
  const folder = dirname(path)
  const modules = existsSync(folder) ? readdirSync(folder).filter((name) => /\.[cm]?[jt]s$/.test(name)) : []
  const name = basename(path)
  const meant = modules.find((one) => one.replace(/\.[cm]?[jt]s$/, '') === name) ?? nearest(name, modules)
  return meant === undefined ? '' : `; did you mean ${meant}?`
}

function wrongExport(found: string): string {
  return `its default export must be a pipeline or a flow: found ${found}`
}

/**
 * The pipeline that a module exports as its default.
 *
 * @throws {SluiceError} as `load`, and for a flow
 */
export async function loadOnlyPipeline(file: string): Promise<Pipeline<Params>> {
  const loaded = await load(file)
  if (loaded.kind === 'pipeline') return loaded.pipeline
  throw unusable(file, 'it exports a flow, and this command takes a pipeline; sluice run prints the events of a flow')
}

async function importModule(file: string, path: string): Promise<Record<string, unknown>> {
  try {
    return await orSilence(import(pathToFileURL(path).href), () => new Error('an await at its top level never ends'))
  } catch (error) {
    const message = messageOf(error)
    throw unusable(file, `${message}${placeIn(error, path)}${loadAdvice(message)}`, error)
  }
}

/** Where in the user's file an error was thrown, if its stack says so. */
function placeIn(error: unknown, path: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const name of [pathToFileURL(path).href, path]) {
    const at = stack.indexOf(`${name}:`)
    const place = at < 0 ? null : /^:(\d+)/.exec(stack.slice(at + name.length))
    if (place !== null) return ` (line ${place[1]})`
  }
  // A module that it imports: Node's first line says which, where its syntax is wrong.
  const [, imported, line] = /^(?:file:\/\/)?(\/.+):(\d+)\n/.exec(stack) ?? []
  return imported === undefined ? '' : ` (${relative(process.cwd(), imported)}, line ${line})`
}

function unusable(file: string, found: string, cause?: unknown): SluiceError {
  const details = { key: file, value: undefined, allowed: 'a module whose default export is a pipeline or a flow' }
  return new SluiceError('CONFIG_INVALID', `Cannot run ${file}: ${found}`, details, { cause })
}

/**
 * Awaits `work`; fails with the result of `silent` once this process has nothing left to do and `work` has not settled.
 * One at a time: with two, both would fail.
 *
 * @example
 * await orSilence(Promise.resolve(5), () => new Error('never')) // => 5
 */
export async function orSilence<T>(work: Promise<T>, silent: () => Error): Promise<T> {
  const silence = Promise.withResolvers<never>()
  const onSilence = (): void => silence.reject(silent())
  process.once('beforeExit', onSilence)
  try {
    return await Promise.race([work, silence.promise])
  } finally {
    process.off('beforeExit', onSilence)
  }
}

/** An error's text, and the advice; `$1` is what the text names. */
const ADVICE: readonly (readonly [error: RegExp, advice: (named: string) => string | undefined])[] = [
  [/^(?:Cannot find module|Directory import) '([^']+)'/, extensionAdvice],
  [/^Cannot find package '([^']+)' imported from/, (name) => `run npm install ${packageOf(name)}`],
  [
    /does not provide an export named '([^']+)'/,
    (name) => `check the spelling; if it is a type, write import type { ${name} }`,
  ],
  [
    /^TypeScript (enum|namespace|parameter property|import equals|export assignment)/,
    () => 'Node strips types and compiles nothing, see https://nodejs.org/api/typescript.html',
  ],
  [/(import) statement outside a module/, () => 'put "type": "module" into package.json, or name the file .mts'],
  [
    /^(require|module|exports|__dirname|__filename) is not defined/,
    () => 'a job is an ES module: use import and export',
  ],
]

/** One line of advice, with a colon in front; empty if there is nothing to advise. */
function loadAdvice(message: string): string {
  for (const [error, advise] of ADVICE) {
    const named = error.exec(message)?.[1]
    const advice = named === undefined ? undefined : advise(named)
    if (advice !== undefined) return `. ${advice[0]?.toUpperCase()}${advice.slice(1)}`
  }
  return ''
}

/** Node looks for exactly the file that is named. */
function extensionAdvice(path: string): string | undefined {
  const file = path.startsWith('file:') ? fileURLToPath(path) : path
  const stem = extname(file) === '.js' ? file.slice(0, -3) : file
  for (const end of ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js']) {
    if (existsSync(`${stem}${end}`)) return `write the whole name: ${basename(stem)}${end}`
  }
  return undefined
}

/** The package of a specifier: `@scope/name` of `@scope/name/part`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
