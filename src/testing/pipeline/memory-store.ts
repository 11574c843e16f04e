// Sinks in memory that stand for those of a pipeline under test: rows by key, with commits.

import { definedOf } from '../../base/options.ts'
import { type Batch, deadLetterAt } from '../../connect/batch.ts'
import { type DeadLetter, plainOrigin } from '../../connect/origin.ts'
import type { Checkpoint, Sink, SinkOptions, SinkWriter } from '../../connect/sink.ts'
import { mergedCheckpoint } from '../merged-checkpoint.ts'

/** What one sink holds of one pipeline: the pipeline's own, or that of a branch. */
export interface Held {
  checkpoint: Checkpoint | undefined
  /** By key, in the order in which they first came. */
  readonly rows: Map<unknown, unknown>
  readonly letters: Map<string, DeadLetter>
}

/** Opens a writer that is part of another one's transactions, if there is one. */
type Open = (options: SinkOptions, into?: MemoryWriter) => MemoryWriter

/** Everything that a pipeline under test has committed. A life that has ended writes nothing more. */
export class MemoryStore {
  readonly #held = new Map<string, Held>()

  /** What the pipeline of this name has committed. */
  of(pipeline: string): Held {
    const held = this.#held.get(pipeline) ?? { checkpoint: undefined, rows: new Map(), letters: new Map() }
    this.#held.set(pipeline, held)
    return held
  }

  /** Stands for a sink, with its name and its key; those of branches commit together with the first. */
  standFor<Row>(sink: Sink<Row>, life: AbortSignal): Sink<Row> {
    if (sink.withSinks !== undefined) return sink.withSinks((one) => this.standFor(one, life))
    const { kind, title, deadLetters, guarantee, isKeyed, key, flowKey } = sink
    const open: Open = (options, into) => {
      const held = this.of(options.pipeline)
      return new MemoryWriter({ held, key: key ?? options.key, kind, life, into })
    }
    return {
      ...{ kind, title, deadLetters, guarantee, ...definedOf({ isKeyed, key, flowKey }) },
      database: 'memory',
      open: async (options) => open(options),
      openBeside: async (writer, options) => open(options, writer as SinkWriter<never> as MemoryWriter),
    }
  }
}

interface MemoryWriterOptions {
  readonly held: Held
  readonly key: readonly string[] | undefined
  /** The step of its dead letters. */
  readonly kind: string
  readonly life: AbortSignal
  readonly into: MemoryWriter | undefined
}

class MemoryWriter implements SinkWriter<unknown> {
  readonly checkpoint: Checkpoint | undefined
  readonly #options: MemoryWriterOptions
  /** What the next commit does. */
  #pending: (() => void)[] = []

  constructor(options: MemoryWriterOptions) {
    this.#options = options
    this.checkpoint = options.held.checkpoint
  }

  write(rows: Batch): readonly DeadLetter[] {
    const { held, key, kind, life } = this.#options
    life.throwIfAborted()
    const letters: DeadLetter[] = []
    for (const [at, row] of rows.values().entries()) {
      const name = key === undefined ? Symbol('a row of its own') : keyOf(row, key)
      if (name === undefined) letters.push(deadLetterAt(rows, at, kind, `its key ${key?.join(', ')} is not complete`))
      else this.#pending.push(() => held.rows.set(name, row))
    }
    return letters
  }

  writeDeadLetters(letters: readonly DeadLetter[]): void {
    const { held, life } = this.#options
    life.throwIfAborted()
    for (const letter of letters) {
      const origin = plainOrigin(letter.origin)
      const place = JSON.stringify([origin.source, origin.offset, origin.part ?? 0, letter.step])
      this.#pending.push(() => held.letters.set(place, { ...letter, origin }))
    }
  }

  commit(checkpoint: Checkpoint): void {
    const { held, life, into } = this.#options
    life.throwIfAborted()
    this.#pending.push(() => {
      held.checkpoint = mergedCheckpoint(held.checkpoint, checkpoint)
    })
    const work = this.#pending
    this.#pending = []
    if (into !== undefined) into.#pending.push(...work)
    else for (const one of work) one()
  }

  async close(): Promise<void> {
    this.#pending = []
  }
}

/** A row's key as one text; undefined if a part of it is missing. */
function keyOf(row: unknown, key: readonly string[]): string | undefined {
  const parts = key.map((name) => (row as Readonly<Record<string, unknown>> | null | undefined)?.[name])
  if (parts.some((part) => part === undefined || part === null)) return undefined
  return JSON.stringify(parts.map((part) => (typeof part === 'bigint' ? `${part}n` : part)))
}
