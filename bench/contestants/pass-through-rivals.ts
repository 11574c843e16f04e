// 0 … n-1 → + 1 → sum, in other libraries, each by its own idiom. Arguments: mode, n, chunk.
// "by one": an event at a time, with a buffer of `chunk`; "by chunk": arrays of `chunk` handed through by hand.

import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Effect, Stream } from 'effect'
import { range } from 'sluice/stage'
import { measure } from './measure.ts'

const [mode = '', sizeText = '5000000', chunkText = '1000'] = process.argv.slice(2)
const chunk = Number(chunkText)
const inc = (x: number): number => x + 1
const add = (sum: number, x: number): number => sum + x
const sumOf = (numbers: readonly number[], start: number): number => numbers.reduce(add, start)

function* chunks(n: number): Generator<number[]> {
  for (let from = 0; from < n; from += chunk) yield range(from, Math.min(n, from + chunk))
}

const MODES: Readonly<Record<string, (n: number) => Promise<number>>> = {
  loop: async (n) => {
    let sum = 0
    for (let x = 0; x < n; x += 1) sum += inc(x)
    return sum
  },

  'node-one': async (n) => {
    let next = 0
    let sum = 0
    await pipeline(
      new Readable({
        objectMode: true,
        highWaterMark: chunk,
        read() {
          while (next < n) if (!this.push(next++)) return
          this.push(null)
        },
      }),
      new Transform({ objectMode: true, highWaterMark: chunk, transform: (x: number, _, done) => done(null, x + 1) }),
      new Writable({
        objectMode: true,
        highWaterMark: chunk,
        write(x: number, _, done) {
          sum += x
          done()
        },
      }),
    )
    return sum
  },

  'node-chunk': async (n) => {
    let sum = 0
    await pipeline(
      Readable.from(chunks(n), { highWaterMark: 2 }),
      new Transform({
        objectMode: true,
        highWaterMark: 2,
        transform: (xs: number[], _, done) => done(null, xs.map(inc)),
      }),
      new Writable({
        objectMode: true,
        highWaterMark: 2,
        write(xs: number[], _, done) {
          sum = sumOf(xs, sum)
          done()
        },
      }),
    )
    return sum
  },

  'web-one': async (n) => {
    let next = 0
    let sum = 0
    const write = (x: number): void => {
      sum += x
    }
    const strategy = { highWaterMark: chunk }
    const source = {
      pull(controller: ReadableStreamDefaultController<number>) {
        while (next < n && (controller.desiredSize ?? 0) > 0) controller.enqueue(next++)
        if (next >= n) controller.close()
      },
    }
    await new ReadableStream<number>(source, strategy)
      .pipeThrough(
        new TransformStream<number, number>({ transform: (x, out) => out.enqueue(x + 1) }, strategy, strategy),
      )
      .pipeTo(new WritableStream<number>({ write }, strategy))
    return sum
  },

  'web-chunk': async (n) => {
    let sum = 0
    const write = (xs: number[]): void => {
      sum = sumOf(xs, sum)
    }
    const strategy = { highWaterMark: 2 }
    const source = chunks(n)
    const pull = (controller: ReadableStreamDefaultController<number[]>): void => {
      const { done, value } = source.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    }
    const plus = {
      transform: (xs: number[], out: TransformStreamDefaultController<number[]>) => out.enqueue(xs.map(inc)),
    }
    await new ReadableStream<number[]>({ pull }, strategy)
      .pipeThrough(new TransformStream<number[], number[]>(plus, strategy, strategy))
      .pipeTo(new WritableStream<number[]>({ write }, strategy))
    return sum
  },

  'async-generator-one': async (n) => {
    async function* source(): AsyncGenerator<number> {
      for (let x = 0; x < n; x += 1) yield x
    }
    async function* plus(numbers: AsyncIterable<number>): AsyncGenerator<number> {
      for await (const x of numbers) yield x + 1
    }
    let sum = 0
    for await (const x of plus(source())) sum += x
    return sum
  },

  'async-generator-chunk': async (n) => {
    async function* source(): AsyncGenerator<number[]> {
      yield* chunks(n)
    }
    async function* plus(batches: AsyncIterable<number[]>): AsyncGenerator<number[]> {
      for await (const xs of batches) yield xs.map(inc)
    }
    let sum = 0
    for await (const xs of plus(source())) sum = sumOf(xs, sum)
    return sum
  },

  'effect-one': (n) =>
    Effect.runPromise(
      Stream.range(0, n - 1, 1).pipe(
        Stream.map(inc),
        Stream.runFold(() => 0, add),
      ),
    ),

  'effect-chunk': (n) =>
    Effect.runPromise(
      Stream.range(0, n - 1, chunk).pipe(
        Stream.map(inc),
        Stream.runFold(() => 0, add),
      ),
    ),

  'effect-buffered': (n) =>
    Effect.runPromise(
      Stream.range(0, n - 1, chunk).pipe(
        Stream.bufferArray({ capacity: 2 }),
        Stream.map(inc),
        Stream.bufferArray({ capacity: 2 }),
        Stream.runFold(() => 0, add),
      ),
    ),
}

const work = MODES[mode]
if (work === undefined) throw new RangeError(`mode must be one of ${Object.keys(MODES).join(', ')}: found ${mode}`)
await measure(Number(sizeText), work)
