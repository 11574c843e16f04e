// Iterators of what gives values one after the other, and how they are closed although a value is being waited for.

import { inTime } from './closing.ts'

/**
 * The iterator of an async source. That of a Node or web stream is closed at once, although a value is being waited
 * for: the stream is destroyed, or cancelled. (Their own iterators wait for that value first.)
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

/** Ends what a source holds that was never iterated: a stream is destroyed or cancelled, all else holds nothing. */
export async function discard(source: unknown): Promise<void> {
  if (isNodeStream(source)) giveUp(source)
  else if (isWebStream(source) && !source.locked) await source.cancel()
}

/** A value that is being waited for while its iterator is closed. */
export interface Pending {
  /** Whether a call of `next` has not been answered. */
  readonly isPending: () => boolean
  /** Whether the source was given a signal, which has been aborted: it is trusted to end its wait, and to clean up. */
  readonly hasSignal: boolean
}

/** Whether a function that gives a source takes a signal. */
export function takesSignal(source: unknown): boolean {
  return typeof source === 'function' && source.length > 0
}

/**
 * Closes an iterator by its `return`, and waits for that. One that waits for its next value, and was given no signal to
 * call that off, has one turn of the event loop: then it is left to close itself, and what it fails with is not heard.
 *
 * @throws what the iterator throws while it is waited for
 */
export async function closeIterator(
  iterator: AsyncIterator<unknown> | Iterator<unknown>,
  { isPending, hasSignal }: Pending,
): Promise<void> {
  const closed = (async () => void (await iterator.return?.()))()
  closed.catch(() => {}) // Heard below by who waits for it.
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

/** A late error of a stream that is given up has nobody left to hear it. */
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
