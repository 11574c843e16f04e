// The other way out: stages become async iterables and streams, and streams become consumers.

import { Readable, type Writable } from 'node:stream'
import { ReadableStream, type WritableStream } from 'node:stream/web'
import { inTime } from '../base/closing.ts'
import { keepingAlive } from '../base/keep-alive.ts'
import { untilAborted } from '../base/promise.ts'
import { type ConnectOptions, type Many, readParts, type Start, start } from './connect.ts'
import type { StageCore } from './core.ts'
import type { Awaitable } from './hooks.ts'
import { reasonOf } from './lifetime.ts'
import { consumer } from './make.ts'
import type { Consumer, ProducerConsumer } from './stage.ts'
import { checkSubscription, coreOf } from './subscribe.ts'

type Middle<A, B> = Many<ProducerConsumer<A, B>>

/**
 * The events that come out of a chain of stages, one by one. The first `next()` starts the chain.
 *
 * - **Asks** as a consumer does, and handles a batch when all of it has been taken: a slow reader slows the source.
 * - **Ends** with the chain; a failure throws the very error, after the events that came before it.
 * - **`break`** cancels the chain, and waits until its sources are closed.
 *
 * @throws {TypeError | RangeError} at once for an invalid chain, and for `cancel: 'temporary'`, which nothing would end
 * @example
 * const seen: number[] = []
 * for await (const n of toIterable([1, 2, 3, 4], { maxDemand: 2 })) {
 *   seen.push(n)
 *   if (n === 3) break
 * }
 * seen // => [1, 2, 3]
 * @see GenStage, lib/gen_stage/stream.ex
 */
export function toIterable<A>(a: Start<A>, options?: ConnectOptions): AsyncIterable<A>
export function toIterable<A, B>(a: Start<A>, b: Middle<A, B>, options?: ConnectOptions): AsyncIterable<B>
export function toIterable<A, B, C>(
  a: Start<A>,
  b: Middle<A, B>,
  c: Middle<B, C>,
  options?: ConnectOptions,
): AsyncIterable<C>
export function toIterable(...parts: readonly unknown[]): AsyncIterable<unknown> {
  checkParts('toIterable', parts)
  return {
    async *[Symbol.asyncIterator]() {
      for await (const batch of batchesOf(parts)) yield* batch
    },
  }
}

/**
 * As {@link toIterable}, a batch at a time: arrays of one event or more, as they came.
 *
 * @example
 * await Array.fromAsync(toBatches([1, 2, 3], { maxDemand: 2, minDemand: 0 })) // => [[1, 2], [3]]
 */
export function toBatches<A>(a: Start<A>, options?: ConnectOptions): AsyncIterable<readonly A[]>
export function toBatches<A, B>(a: Start<A>, b: Middle<A, B>, options?: ConnectOptions): AsyncIterable<readonly B[]>
export function toBatches<A, B, C>(
  a: Start<A>,
  b: Middle<A, B>,
  c: Middle<B, C>,
  options?: ConnectOptions,
): AsyncIterable<readonly C[]>
export function toBatches(...parts: readonly unknown[]): AsyncIterable<readonly unknown[]> {
  checkParts('toBatches', parts)
  return { [Symbol.asyncIterator]: () => batchesOf(parts) }
}

/**
 * The events of an async iterable as a Node stream in object mode. For a chain: `toReadable(toIterable(a, b))`.
 *
 * @example
 * await toReadable(toIterable([1, 2, 3])).toArray() // => [1, 2, 3]
 */
export function toReadable(events: AsyncIterable<unknown>): Readable {
  return Readable.from(events, { objectMode: true })
}

/**
 * The events of an async iterable as a web stream.
 *
 * @example
 * await Array.fromAsync(toWebStream(toIterable([1, 2, 3]))) // => [1, 2, 3]
 */
export function toWebStream<T>(events: AsyncIterable<T>): ReadableStream<T> {
  return ReadableStream.from(events) as ReadableStream<T>
}

/**
 * A consumer that writes its events to a Node stream or a web stream, as fast as that accepts them.
 *
 * - **Completes** when the stream has been ended and has finished.
 * - **Fails** with the stream's error, or if it is closed before its end; on failure and cancellation the stream is
 *   destroyed (aborted).
 *
 * @throws {TypeError} if the stream has been ended or destroyed already
 * @example
 * const seen: string[] = []
 * const sink = new WritableStream<string>({ write: (text) => void seen.push(text) })
 * await (await connect(['a', 'b'], into(sink))).done
 * seen // => ['a', 'b']
 */
export function into<T>(stream: Writable | WritableStream<T>): Consumer<T> {
  return 'getWriter' in stream ? intoWeb(stream) : intoNode(stream)
}

/** Rejects, before iteration, what could not be started, and what would never end. */
function checkParts(what: string, parts: readonly unknown[]): void {
  const { signal: _, ...options } = readParts(parts).options
  checkSubscription(options)
  if (options.cancel !== 'temporary') return
  throw new TypeError(`${what} cannot take cancel: 'temporary': no end of a stage would end it. Leave it out, or break`)
}

function batchesOf(parts: readonly unknown[]): AsyncGenerator<readonly unknown[]> {
  return handedOver((last) => {
    const { layers, options } = readParts(parts)
    return start([...layers, [last]], options, true)
  })
}

/** A graph that was started, whose end can be awaited. */
export interface Begun {
  readonly done: Promise<void>
}

/**
 * The input of a consumer that ends a graph of stages, batch by batch; each is taken before the next is asked for.
 *
 * @param begin - starts the graph with the consumer as its last stage; called by the first `next()`
 */
export async function* handedOver(begin: (last: StageCore) => Awaitable<Begun>): AsyncGenerator<readonly unknown[]> {
  const handover = new Handover<readonly unknown[]>()
  const last = consumer<unknown>({
    name: 'iterator',
    onEvents: (events) => handover.give(events),
    onEnd: () => handover.end(),
  })
  const run = await begin(coreOf(last))
  try {
    for (let batch = await handover.take(); batch !== undefined; batch = await handover.take()) yield batch
  } finally {
    // Cancelled first: the rest of a batch is not wanted, so nothing more is asked for.
    last.cancel()
    handover.end()
    await run.done
  }
}

/** Passes one value at a time from giver to taker; `give` waits until the next one is asked for. */
class Handover<T> {
  /** Given and not yet taken. */
  #offer: T | undefined
  /** Releases the giver. */
  #accept: PromiseWithResolvers<void> | undefined
  /** Awaited by the taker. */
  #arrival: PromiseWithResolvers<void> | undefined
  #isOver = false

  give(value: T): Promise<void> | void {
    if (this.#isOver) return
    this.#offer = value
    this.#arrival?.resolve()
    this.#accept = Promise.withResolvers()
    return this.#accept.promise
  }

  async take(): Promise<T | undefined> {
    // What was offered before anybody took is not taken yet.
    if (this.#offer === undefined) this.#accept?.resolve()
    while (this.#offer === undefined && !this.#isOver) {
      this.#arrival = Promise.withResolvers()
      await keepingAlive(this.#arrival.promise)
    }
    const taken = this.#offer
    this.#offer = undefined
    return taken
  }

  end(): void {
    this.#isOver = true
    this.#accept?.resolve()
    this.#arrival?.resolve()
  }
}

function intoWeb<T>(stream: WritableStream<T>): Consumer<T> {
  const writer = stream.getWriter()
  /** Once a write has failed, the writer's promises reject; until then a single write need not be awaited. */
  const write = async (events: readonly T[]): Promise<void> => {
    for (const event of events) {
      await writer.ready
      writer.write(event).catch(() => {})
    }
  }
  return consumer<T>({
    name: 'stream',
    onEvents: (events, _from, self) => orEnd(write(events), self.signal),
    onComplete: (self) => {
      // After a failed write, `close` reports only that it cannot; `closed` has the reason.
      writer.close().catch(() => {})
      return orEnd(writer.closed, self.signal)
    },
    onEnd: async (ending) => {
      // The stream waits for the write that is under way.
      if (ending.kind !== 'completed') await inTime(writer.abort(reasonOf(ending)))
    },
  })
}

/** Awaits `work`, but no longer than the stage is open. */
async function orEnd(work: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await untilAborted(work, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function intoNode<T>(stream: Writable): Consumer<T> {
  if (stream.destroyed || stream.writableEnded) throw new TypeError('Cannot write to the stream: it has ended')
  /** The wait for room, or for the end. */
  let waiting: PromiseWithResolvers<void> | undefined
  const goOn = (): void => waiting?.resolve()
  const written = consumer<T>({
    name: 'stream',
    onSubscribe: (_from, self) => self.signal.addEventListener('abort', goOn, { once: true }),
    onEvents: async (events, _from, self) => {
      for (const event of events) {
        if (self.ending !== undefined) return
        if (stream.write(event)) continue
        waiting = Promise.withResolvers()
        await waiting.promise
      }
    },
    onComplete: () => {
      waiting = Promise.withResolvers()
      stream.end(goOn)
      return waiting.promise
    },
    onEnd: (ending) => {
      stream.off('drain', goOn).off('close', onClose)
      if (ending.kind !== 'completed') stream.destroy()
      // Nobody listens any more to a late error of an abandoned stream.
      else stream.off('error', onError)
    },
  })
  const onError = (error: unknown): void => {
    written.fail(error)
    goOn()
  }
  const onClose = (): void => {
    if (!stream.writableFinished) written.fail(new Error('Cannot write to the stream: it was closed before its end'))
    goOn()
  }
  stream.on('drain', goOn).on('error', onError).on('close', onClose)
  return written
}
