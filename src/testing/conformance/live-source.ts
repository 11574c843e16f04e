// What every source of live messages must hold, as tests: run them for one of your own.

import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkKeys } from '../../base/check.ts'
import { isSluiceError } from '../../base/errors.ts'
import type { OpenOptions, Position, Source, Split, SplitReader } from '../../connect/source.ts'
import { Calls } from './calls.ts'
import { positionOf, readEntries, valuesIn } from './reading.ts'

/** A source, and a way to send to it. */
export interface LiveSample<T> {
  readonly source: Source<T>
  /**
   * Sends this many messages, none of which was sent before, while a reader is open; returns their values in the order
   * in which they were sent. It need not wait until they are taken.
   */
  readonly send: (count: number) => readonly T[] | Promise<readonly T[]>
  /** Cleans up what was made for the source. */
  readonly cleanup?: () => void | Promise<void>
}

/** A source of live messages under test. */
export interface LiveSourceSubject<T> {
  readonly name: string
  /** A source to which nothing was sent yet, a new one for each test. */
  readonly make: () => LiveSample<T> | Promise<LiveSample<T>>
  /** Whether what was read and not committed comes again: true by default. */
  readonly comesAgain?: boolean
  /** Whether messages come in the order in which they were sent, even when they come again: true by default. */
  readonly isOrdered?: boolean
}

/**
 * Holds a source of live messages to its contract: everything comes once, at most as much at a time as was asked for;
 * what a position covers does not come again, and what none covers does; acknowledgements may come late and twice;
 * waiting reads end when they are aborted.
 *
 * @example
 * import { createSocket } from 'node:dgram'
 * liveSourceConformance({
 *   name: 'syslog',
 *   comesAgain: false,
 *   make: () => {
 *     const from = createSocket('udp4')
 *     const ports: { udp?: number } = {}
 *     const source = syslogSource({ udp: 0 }, { event: ({ text }) => text, onListening: ({ udp }) => Object.assign(ports, { udp }) })
 *     const send = (count: number) => {
 *       const texts = Array.from({ length: count }, () => `message ${Math.random()}`)
 *       for (const text of texts) from.send(`<13>1 - - - - - - ${text}`, ports.udp ?? 0, '127.0.0.1')
 *       return texts
 *     }
 *     return { source, send, cleanup: () => void from.close() }
 *   },
 * })
 */
export function liveSourceConformance<T>(subject: LiveSourceSubject<T>): void {
  checkKeys('liveSourceConformance', subject, ['name', 'make', 'comesAgain', 'isOrdered'])
  const { name, comesAgain = true } = subject
  const rule = (title: string, check: (live: Live<T>) => Promise<void>): void => {
    it(title, async () => {
      const [sample, calls] = [await subject.make(), new Calls()]
      const source = calls.of('source', sample.source)
      const send = (count: number) => sample.send(count)
      const live = new Live({ source, send, cleanup: () => sample.cleanup?.() }, subject)
      try {
        await calls.under(title, async () => await check(live))
      } finally {
        await live.end()
      }
    })
  }
  describe(`${name} as a live source`, () => {
    rule('is unbounded, is acknowledged, and has one split', checkSource)
    for (const max of [1, 7, 1000]) {
      rule(`gives everything once, asked for ${max} at a time`, (live) => checkAll(live, max))
    }
    rule('waits for what is to come', checkWait)
    rule('gives nothing again that a position covers', checkKnown)
    if (comesAgain) rule('gives again what no position covers, and nothing else', checkAgain)
    rule('takes acknowledgements late, and twice', checkCommits)
    rule('rejects a foreign position', checkStrange)
    rule('ends a waiting read with the reason of a signal', checkAbort)
    rule('settles a read during which it is closed, and closes twice', checkClose)
  })
}

/** A sample, one reader of it at a time, and what that has given. */
class Live<T> {
  readonly sample: LiveSample<T>
  readonly #isOrdered: boolean
  #reader: SplitReader<T> | undefined

  constructor(sample: LiveSample<T>, { isOrdered = true }: LiveSourceSubject<T>) {
    this.sample = sample
    this.#isOrdered = isOrdered
  }

  async open(from?: Position, options: OpenOptions = {}): Promise<SplitReader<T>> {
    await this.close()
    const [split] = await this.sample.source.splits()
    this.#reader = await this.sample.source.open(split as Split, from, options)
    return this.#reader
  }

  async close(): Promise<void> {
    const reader = this.#reader
    this.#reader = undefined
    await reader?.close()
  }

  async end(): Promise<void> {
    await this.close()
    await this.sample.cleanup?.()
  }

  /** The values of this many messages. */
  async take(reader: SplitReader<T>, count: number, max = count): Promise<T[]> {
    const values: T[] = []
    while (values.length < count) {
      const some = await readEntries(reader, Math.min(max, count - values.length))
      ok(some !== undefined, 'it has ended')
      ok(some.length <= max, `a read of up to ${max} gave ${some.length} entries`)
      equal(some.filter(({ kind }) => kind === 'dead').length, 0, 'dead letters')
      values.push(...valuesIn(some))
    }
    return values
  }

  same(found: readonly T[], expected: readonly T[], what?: string): void {
    const inOrder = (values: readonly T[]) =>
      this.#isOrdered ? [...values] : values.map((one) => JSON.stringify(one)).sort()
    deepEqual(inOrder(found), inOrder(expected), what)
  }
}

async function checkSource<T>({ sample: { source } }: Live<T>): Promise<void> {
  deepEqual([source.isUnbounded, source.needsAck], [true, true])
  const splits = await source.splits()
  equal(splits.length, 1)
  deepEqual(await source.splits(), splits)
}

async function checkAll<T>(live: Live<T>, max: number): Promise<void> {
  const reader = await live.open()
  positionOf(reader)
  const sent = await live.sample.send(40)
  const found: T[] = []
  // Senders may want to be acknowledged for the first ones before they send more.
  while (found.length < 40) {
    found.push(...(await live.take(reader, 10, max)))
    positionOf(reader)
    reader.acknowledge?.(reader.position())
  }
  live.same(found, sent)
  deepEqual(reader.counts, { ...reader.counts, read: 40, blank: 0 })
  const later = await live.sample.send(5)
  live.same(await live.take(reader, 5), later, 'what was sent later')
}

async function checkWait<T>(live: Live<T>): Promise<void> {
  const reader = await live.open()
  const waiting = live.take(reader, 1)
  const sent = await live.sample.send(1)
  deepEqual(await waiting, sent)
}

async function checkKnown<T>(live: Live<T>): Promise<void> {
  const first = await live.open()
  await live.sample.send(20)
  await live.take(first, 20)
  const position = positionOf(first)
  const second = await live.open(position)
  const sent = await live.sample.send(3)
  live.same(await live.take(second, 3), sent)
}

async function checkAgain<T>(live: Live<T>): Promise<void> {
  const first = await live.open()
  const sent = await live.sample.send(20)
  const before = await live.take(first, 8)
  const position = positionOf(first)
  await live.take(first, 7)
  // The five that nobody has asked for come again, too.
  const second = await live.open(position)
  const after = await live.take(second, 12)
  live.same([...before, ...after], sent)
  const more = await live.sample.send(2)
  live.same(await live.take(second, 2), more, 'nothing more comes again')
}

async function checkCommits<T>(live: Live<T>): Promise<void> {
  const first = await live.open()
  await live.sample.send(20)
  await live.take(first, 8)
  const early = first.position()
  await live.take(first, 12)
  const late = first.position()
  for (const position of [early, early, late, late]) first.acknowledge?.(position)
  const second = await live.open(JSON.parse(JSON.stringify(late)))
  const sent = await live.sample.send(3)
  live.same(await live.take(second, 3), sent)
  second.acknowledge?.(second.position())
}

async function checkStrange<T>(live: Live<T>): Promise<void> {
  await rejects(
    live.open({ strange: ['position'] }),
    (error) => isSluiceError(error, 'POSITION_LOST'),
    'open rejects a position that is not one of its own with POSITION_LOST',
  )
}

async function checkAbort<T>(live: Live<T>): Promise<void> {
  const reason = new Error('enough')
  const opening = live.open(undefined, { signal: AbortSignal.abort(reason) })
  await rejects(opening, reason, 'open itself rejects with the reason of a signal that is already aborted')
  const controller = new AbortController()
  const reader = await live.open(undefined, { signal: controller.signal })
  const waiting = Promise.resolve(reader.read(1))
  waiting.catch(() => {}) // Checked below.
  controller.abort(reason)
  await rejects(waiting, reason, 'a read that waits rejects with the reason of its signal once that is aborted')
}

async function checkClose<T>(live: Live<T>): Promise<void> {
  const reader = await live.open()
  const waiting = Promise.resolve(reader.read(1)).catch(() => 'failed')
  await reader.close()
  // Its value does not matter, only that it settles.
  await waiting
  await reader.close()
}
