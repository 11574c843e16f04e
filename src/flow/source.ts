// The sources that a flow can begin with, and how they are told apart.

import { describeValue } from '../base/check.ts'
import type { Source } from '../connect/source.ts'
import type { Pullable } from '../stage/from.ts'
import type { Producer } from '../stage/stage.ts'

/** A source of events: anything iterable, a producer, or a source with splits. */
export type FlowSource<T> = Pullable<T> | Producer<T> | Source<T>

/** Whether stages can share a source: each then reads its own parts. */
export function isSplittable(source: unknown): source is Source<unknown> {
  return typeof source === 'object' && source !== null && 'splits' in source && 'open' in source
}

/** Whether a source is a stage already. */
export function isProducer(source: unknown): source is Producer<unknown> {
  return typeof source === 'object' && source !== null && 'emit' in source && 'notify' in source
}

/**
 * Whether a source can be read only once: iterators and generators, streams, stages. Arrays, functions and files can be
 * read again.
 */
function isOneShot(source: unknown): boolean {
  if (typeof source !== 'object' || source === null || isSplittable(source)) return false
  return (
    isProducer(source) || ['next', 'pipe', 'getReader'].some((key) => typeof Reflect.get(source, key) === 'function')
  )
}

/**
 * Rejects a run in which two sources are the same one that can be read only once: each would get a part of its events.
 *
 * @throws {TypeError} if there is one
 */
export function checkOneShots(sources: readonly { readonly name: string; readonly source: unknown }[]): void {
  const seen = new Map<unknown, string>()
  for (const { name, source } of sources) {
    if (!isOneShot(source)) continue
    const first = seen.get(source)
    if (first !== undefined) {
      const how = 'merge one flow with itself, or give a function that makes it'
      throw new TypeError(`Cannot read ${name}: it is the same source as ${first}, which can be read only once; ${how}`)
    }
    seen.set(source, name)
  }
}

/** Rejects what cannot be a source. */
export function checkSource(what: string, source: unknown): void {
  if (isSplittable(source) || isProducer(source) || typeof source === 'function') return
  const isIterable =
    typeof source === 'object' && source !== null && (Symbol.iterator in source || Symbol.asyncIterator in source)
  if (isIterable) return
  throw new TypeError(
    `${what} takes an iterable, a function that returns one, a producer or a source: found ${describeValue(source)}`,
  )
}

/** A short name for diagrams: the title of a source that has one, or its kind. */
export function titleOf(source: unknown): string {
  if (isSplittable(source)) return source.title
  if (isProducer(source)) return source.name
  if (Array.isArray(source)) return 'array'
  if (typeof source === 'function') return source.name === '' ? 'source' : source.name
  const kind = (source as object | null)?.constructor?.name
  return kind === undefined || kind === '' || kind === 'Object' ? 'source' : kind
}
