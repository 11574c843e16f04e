// How flows begin.

import { checkInteger, checkKeys } from '../base/check.ts'
import { Flow } from './flow.ts'
import type { StepOptions } from './name.ts'
import { checkSource, type FlowSource, titleOf } from './source.ts'

export interface FlowOptions extends StepOptions {
  /** How many stages the following operators have: an integer, 1 or more; chosen by the executor by default. */
  readonly stages?: number
}

/**
 * A flow over one source: an iterable, a function that returns one (so that each run has a new one), a producer, or a
 * source with splits such as {@link fileSource} and {@link lines}, whose parts are read in parallel.
 *
 * @throws {TypeError} for anything else; a string is rejected, as it would be a source of characters
 * @example
 * await collect(flow(['a', 'b']).map((text) => text.toUpperCase())) // => ['A', 'B']
 */
export function flow<T>(source: FlowSource<T>, options: FlowOptions = {}): Flow<T> {
  return begin('flow', [source], options)
}

/**
 * A flow over several sources, read in parallel: there is no order between their events.
 *
 * @throws {TypeError} without any source, or for something that is not one
 * @example
 * (await collect(flows([[1, 2], [3]]))).toSorted() // => [1, 2, 3]
 */
export function flows<T>(sources: readonly FlowSource<T>[], options: FlowOptions = {}): Flow<T> {
  if (!Array.isArray(sources) || sources.length === 0) throw new TypeError('flows takes one source or more: found none')
  return begin('flows', sources, options)
}

function begin<T>(what: string, sources: readonly FlowSource<T>[], options: FlowOptions): Flow<T> {
  checkKeys(what, options, ['stages', 'name'])
  for (const source of sources) checkSource(what, source)
  const { stages, name = sources.length === 1 ? titleOf(sources[0]) : 'sources' } = options
  if (stages !== undefined) checkInteger(`stages of ${what}`, stages, 1)
  return new Flow<T>({ operator: { kind: 'source', name, sources, stages }, inputs: [] })
}
