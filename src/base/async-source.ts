// Iterators over sources of values, and how to close one while it is waiting for a value.

import { inTime } from './closing.ts'

/**
 * The iterator of an async source. For a Node or web stream, closing takes effect at once, even while a value is
 * awaited: the stream is destroyed or cancelled. (Their own iterators wait for that value first.)
 */
export function asyncIteratorOf<T>(source: AsyncIterable<T>): AsyncIterator<T> {
  if (isWebStream(source)) return webIterator<T>(source.getReader())
  const iterator = source[Symbol.asyncIterator]()
  if (!isNodeStream(source)) return iterator
  return {
    next: () => iterator.next(),
    async return() {
      giveUp(source)
      await iterator.return?.()
      return { done: true, value: undefined }
    },
  }
}

/** Releases a source that was never iterated: a stream is destroyed or cancelled; anything else holds nothing. */
export async function discard(source: unknown): Promise<void> {
  if (isNodeStream(source)) giveUp(source)
  else if (isWebStream(source) && !source.locked) await source.cancel()
}

/** A value that was still awaited when its iterator was closed. */
export interface Pending {
  /** Whether a call of `next` has not been answered. */
  readonly isPending: () => boolean
  /** Whether the source was given a signal that is now aborted: it is trusted to stop waiting and clean up. */
  readonly hasSignal: boolean
}

/** Whether a function that makes a source takes a signal. */
export function takesSignal(source: unknown): boolean {
  return typeof source === 'function' && source.length > 0
}

/**
 * Closes an iterator by its `return` and waits for that. An iterator that is waiting for its next value, and has no
 * signal to abort the wait, gets one turn of the event loop; after that it is left to close by itself, and its errors
 * are ignored.
 *
 * @throws what the iterator throws while it is awaited
 */
export async function closeIterator(
  iterator: AsyncIterator<unknown> | Iterator<unknown>,
  { isPending, hasSignal }: Pending,
): Promise<void> {
  const closed = (async () => void (await iterator.return?.()))()
  closed.catch(() => {}) // The caller handles this below.
  if (isPending() && !hasSignal) {
    await new Promise((resolve) => setImmediate(resolve))
    if (isPending()) return
  }
  await inTime(closed)
}

interface NodeStream {
  destroy(): unknown
  on(event: 'error', listener: () => void): unknown
}

function isNodeStream(source: unknown): source is NodeStream {
  return isObject(source) && typeof source.destroy === 'function' && typeof source.pipe === 'function'
}

/** Nobody listens any more to a late error of an abandoned stream. */
function giveUp(stream: NodeStream): void {
  stream.on('error', () => {})
  stream.destroy()
}

interface WebReader<T> {
  read(): Promise<IteratorResult<T, undefined>>
  cancel(): Promise<void>
  releaseLock(): void
}

interface WebStream {
  readonly locked: boolean
  getReader<T>(): WebReader<T>
  cancel(): Promise<void>
}

function isWebStream(source: unknown): source is WebStream {
  return isObject(source) && typeof source.getReader === 'function' && typeof source.cancel === 'function'
}

function webIterator<T>(reader: WebReader<T>): AsyncIterator<T> {
  return {
    async next() {
      const next = await reader.read()
      if (next.done) reader.releaseLock()
      return next as IteratorResult<T>
    },
    async return() {
      await reader.cancel()
      reader.releaseLock()
      return { done: true, value: undefined }
    },
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
