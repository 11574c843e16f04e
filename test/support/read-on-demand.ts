// A pipeline whose source gives numbers when a test says so, and whose sink can be lost.

import { type Checkpoint, type Pipeline, pipeline, type Sink, SluiceError, type Source } from 'sluice'
import { readOf } from '../../src/connect/batch.ts'
import { tracked } from '../../src/connect/origin.ts'

export interface ReadOnDemandOptions {
  /** What reading fails with. */
  readonly fails?: Error
  /** How many commits find the sink gone. */
  readonly losesSink?: number
  /** Whether its sender waits to hear what is committed. */
  readonly needsAck?: boolean
  /** Waited for by every number before it goes on. */
  readonly check?: (value: number) => Promise<void>
}

export interface ReadOnDemand {
  readonly pipeline: Pipeline
  /** Rows that are committed. */
  readonly rows: number[]
  /** Up to where its sender was told that numbers are committed, each time. */
  readonly acknowledged: number[]
  /** Lets the source have so many more numbers. */
  give(numbers: number): void
  /** Ends the source. */
  end(): void
  /** Resolves when so many numbers have come to the sink, committed or not. */
  given(numbers: number): Promise<void>
  /** Resolves when there are so many rows. */
  committed(rows: number): Promise<void>
  /** Resolves when the sink was opened so many times. */
  opened(times: number): Promise<void>
  /** Resolves when the sink is lost. */
  lost(): Promise<void>
  /** Resolves when all that could happen has happened. */
  settled(): Promise<void>
}

/** Readers wait for numbers, as those of brokers do. */
export function readOnDemand({
  fails,
  losesSink = 0,
  needsAck = false,
  check,
}: ReadOnDemandOptions = {}): ReadOnDemand {
  const rows: number[] = []
  const acknowledged: number[] = []
  let [available, came, opens, losses, isOver] = [0, 0, 0, 0, false]
  let checkpoint: Checkpoint | undefined
  const waiting = new Set<() => void>()
  const changed = (): void => {
    for (const look of waiting) look()
  }
  const until = (isSo: () => boolean, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isSo() && signal?.aborted !== true) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      signal?.addEventListener('abort', look, { once: true })
      look()
    })
  const source: Source<number> = {
    kind: 'numbers',
    title: 'numbers',
    isUnbounded: true,
    ...(needsAck ? { needsAck } : {}),
    splits: async () => [{ id: 'numbers' }],
    open: async (_split, from, { signal } = {}) => {
      let at = Number(from ?? 0)
      const counts = { read: 0, blank: 0, invalidUtf8: 0 }
      return {
        counts,
        doneBytes: 0,
        position: () => at,
        read: async (max) => {
          if (fails !== undefined) throw fails
          await until(() => available > at || isOver, signal)
          if (available <= at) return isOver ? undefined : readOf([])
          const numbers = Array.from({ length: Math.min(max, available - at) }, (_, more) => at + more + 1)
          at += numbers.length
          counts.read += numbers.length
          return readOf(
            numbers.map((value) => tracked(value, { source: 'numbers', line: value, offset: value, raw: `${value}` })),
          )
        },
        ...(needsAck ? { acknowledge: (position) => acknowledged.push(Number(position)) } : {}),
        close: async () => {},
      }
    },
  }
  const checked = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: async (value: unknown) => {
        await check?.(Number(value))
        return { value: Number(value) }
      },
    },
  }
  const sink: Sink<number> = {
    kind: 'rows',
    title: 'rows',
    deadLetters: 'none',
    guarantee: 'exactly-once',
    open: async () => {
      opens += 1
      came = rows.length
      changed()
      const written: number[] = []
      return {
        checkpoint,
        write: (batch) => {
          written.push(...batch.values())
          came = rows.length + written.length
          changed()
          return []
        },
        writeDeadLetters: async () => {},
        commit: async (next) => {
          if (losses < losesSink) {
            losses += 1
            changed()
            throw new SluiceError('SINK_LOST', 'Cannot commit: rows is gone', { sink: 'rows', reason: 'gone' })
          }
          checkpoint = { ...next, positions: new Map([...(checkpoint?.positions ?? []), ...next.positions]) }
          rows.push(...written.splice(0))
          changed()
        },
        close: async () => {},
      }
    },
  }
  return {
    pipeline: pipeline('numbers', {
      from: () => source,
      flow: (numbers) => (check === undefined ? numbers : numbers.validate(checked)),
      into: () => sink,
    }),
    rows,
    acknowledged,
    give: (numbers) => {
      available += numbers
      changed()
    },
    end: () => {
      isOver = true
      changed()
    },
    given: (numbers) => until(() => came >= numbers),
    committed: (count) => until(() => rows.length >= count),
    opened: (times) => until(() => opens >= times),
    lost: () => until(() => losses >= losesSink),
    settled: async () => {
      for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate)
    },
  }
}
