// What a flow can begin with, and how it is told apart.

import { describeValue } from '../base/check.ts'
import type { Source } from '../connect/source.ts'
import type { Pullable } from '../stage/from.ts'
import type { Producer } from '../stage/stage.ts'

/** Where events come from: anything that can be iterated, a producer, or a source with splits. */
export type FlowSource<T> = Pullable<T> | Producer<T> | Source<T>

/** Whether stages can share a source: each then reads parts of its own. */
export function isSplittable(source: unknown): source is Source<unknown> {
  return typeof source === 'object' && source !== null && 'splits' in source && 'open' in source
}

/** Whether a source is a stage already. */
export function isProducer(source: unknown): source is Producer<unknown> {
  return typeof source === 'object' && source !== null && 'emit' in source && 'notify' in source
}

/** Refuses what events cannot come from. */
export function checkSource(what: string, source: unknown): void {
  if (isSplittable(source) || isProducer(source) || typeof source === 'function') return
  const isIterable =
    typeof source === 'object' && source !== null && (Symbol.iterator in source || Symbol.asyncIterator in source)
  if (isIterable) return
  throw new TypeError(
    `${what} takes something that can be iterated, a function that gives it, a producer or a source: found ${describeValue(source)}`,
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
