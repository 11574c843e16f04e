// Loads a user's module and finds the pipeline in it.

import { statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describeValue } from '../base/check.ts'
import { messageOf, SluiceError } from '../base/errors.ts'
import type { Params } from '../pipeline/param.ts'
import { isPipeline, type Pipeline } from '../pipeline/pipeline.ts'
import { orSilence } from './silence.ts'

/**
 * The pipeline that a module exports as its default.
 *
 * @throws {SluiceError} CONFIG_INVALID if there is no such file, it cannot be loaded, or exports something else
 */
export async function loadPipeline(file: string): Promise<Pipeline<Params>> {
  const path = resolve(file)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw unusable(file, 'there is no such file')
  if (stats.isDirectory()) throw unusable(file, 'it is a directory')
  resolveOwnName()
  const module = await importModule(file, path)
  if (isPipeline(module.default)) return module.default
  const found = 'default' in module ? describeValue(module.default) : 'no default export'
  throw unusable(file, `its default export must be a pipeline: found ${found}`)
}

async function importModule(file: string, path: string): Promise<Record<string, unknown>> {
  try {
    return await orSilence(import(pathToFileURL(path).href), () => new Error('an await at its top level never ends'))
  } catch (error) {
    throw unusable(file, `${messageOf(error)}${placeIn(error, path)}`, error)
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
  return ''
}

function unusable(file: string, found: string, cause?: unknown): SluiceError {
  const details = { key: file, value: undefined, allowed: 'a module whose default export is a pipeline' }
  return new SluiceError('CONFIG_INVALID', `Cannot run ${file}: ${found}`, details, { cause })
}

const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const DOORS: Readonly<Record<string, string>> = {
  sluice: `../index${EXTENSION}`,
  'sluice/stage': `../stage/index${EXTENSION}`,
  'sluice/testing': `../testing/index${EXTENSION}`,
}
/** Whether the hook below is in place. */
let isResolving = false

/** A module that lies where `sluice` is not installed finds it all the same: this copy of it. */
function resolveOwnName(): void {
  if (isResolving) return
  isResolving = true
  registerHooks({
    resolve: (specifier, context, next) => {
      const door = Object.hasOwn(DOORS, specifier) ? DOORS[specifier] : undefined
      if (door === undefined) return next(specifier, context)
      try {
        return next(specifier, context)
      } catch {
        // Not installed where the module lies: its own way of finding it has failed, ours cannot.
        return { url: new URL(door, import.meta.url).href, shortCircuit: true }
      }
    },
  })
}
