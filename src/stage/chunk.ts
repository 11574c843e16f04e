// Events that travel together from one stage to another.

/**
 * Some events, in their order. Immutable. An array is a chunk; so is anything else with these members: dispatchers and
 * buffers use nothing else, and pass a chunk on unchanged.
 */
export interface Chunk<T> {
  readonly length: number
  /** The event at an index from 0 to `length` less one. */
  at(index: number): T | undefined
  /** The events from one index up to another, exclusive. */
  slice(from: number, to?: number): Chunk<T>
  /** The events at these indices, in this order: for chunks that must keep their type when they are divided. */
  select?(indices: readonly number[]): Chunk<T>
}

export function isChunk(value: unknown): value is Chunk<unknown> {
  return typeof value === 'object' && value !== null && 'at' in value && 'slice' in value
}

export const isArray: <T>(chunk: Chunk<T>) => chunk is readonly T[] = Array.isArray

/** The events of a chunk as an array. */
export function arrayOf<T>(chunk: Chunk<T>): readonly T[] {
  if (isArray(chunk)) return chunk
  const events: T[] = []
  for (let index = 0; index < chunk.length; index += 1) events.push(chunk.at(index) as T)
  return events
}

/** The events from one index up to another: the chunk itself if that is all of them. */
export function cut<T>(chunk: Chunk<T>, from: number, to: number = chunk.length): Chunk<T> {
  return from === 0 && to >= chunk.length ? chunk : chunk.slice(from, to)
}

/** A consumer's part of a chunk. @param picks - events, if the chunk is an array; else their indices */
export function sharedOut<T>(chunk: Chunk<T>, picks: readonly unknown[]): Chunk<T> {
  return isArray(chunk) ? (picks as readonly T[]) : select(chunk, picks as readonly number[])
}

/** The events for which a test is true. */
export function filtered<T>(chunk: Chunk<T>, test: (event: T) => boolean): Chunk<T> {
  if (isArray(chunk)) return chunk.filter((event) => test(event))
  const indices: number[] = []
  for (let index = 0; index < chunk.length; index += 1) if (test(chunk.at(index) as T)) indices.push(index)
  return select(chunk, indices)
}

function select<T>(chunk: Chunk<T>, indices: readonly number[]): Chunk<T> {
  return chunk.select?.(indices) ?? indices.map((index) => chunk.at(index) as T)
}
