// Runs the first records of a pipeline through its whole flow, into nothing.

import { definedOf } from '../base/options.ts'
import { unpackState } from '../checkpoint/pack-state.ts'
import { StateParts } from '../checkpoint/state-parts.ts'
import { type Batch, type ReadBatch, withOwnOrigins } from '../connect/batch.ts'
import type { DeadLetter } from '../connect/origin.ts'
import type { Shard } from '../connect/shard.ts'
import type { Checkpoint, ListedSplit, Sink, SinkWriter } from '../connect/sink.ts'
import type { Source, SplitReader } from '../connect/source.ts'
import { layOut } from '../flow/layout.ts'
import { isSplittable } from '../flow/source.ts'
import { keptBy } from '../flow/topology.ts'
import { withSources } from '../flow/with-operators.ts'
import { furtherSources, planOf, sourceOf } from './build.ts'
import { refuseTakenPlaces } from './numbered.ts'
import type { Params } from './param.ts'
import type { Pipeline, PipelineParts } from './pipeline.ts'
import { resumePositions } from './resume-positions.ts'
import { startPipeline } from './start.ts'

export interface PreviewOptions {
  readonly params: ReadonlyMap<string, string>
  /** Which of several copies it is; the only one by default. */
  readonly shard?: Shard | undefined
  /** How many records are read of each source. */
  readonly records: number
  /** How long to wait for an unbounded source, in milliseconds. */
  readonly waitMs: number
  /** Whether the sink has a say, by a dry run, and the checkpoint in it: by default. Else it need not be there. */
  readonly isSinkAsked?: boolean
  readonly onRow: (row: unknown) => void
  readonly onLetter: (letter: DeadLetter) => void
  /** Called with notes for people: fields that no row has, for example. */
  readonly onNote?: (note: string) => void
}

/**
 * Runs a pipeline over its first records, as if there were no others: results at the end of windows, joins and totals
 * are emitted, too. Nothing is loaded, and nothing is acknowledged to a source. A sink with a dry run rejects what it
 * would reject in a run, and so do sources that cannot continue from where the last run left them.
 *
 * @returns how many records were read, of all sources
 * @throws what a run would throw before it loads anything
 */
export async function previewPipeline<P extends Params>(
  pipeline: Pipeline<P>,
  options: PreviewOptions,
): Promise<number> {
  const first = (source: unknown): unknown => (isSplittable(source) ? firstOf(source, options) : source)
  const preview: Pipeline<P> = {
    ...pipeline,
    build(values) {
      const parts = pipeline.build(values)
      const source = firstOf(parts.source, options)
      const sink = drySink(parts, pipeline.name, options)
      return { ...parts, source, node: withSources(parts.node, first), sink }
    },
  }
  const run = await startPipeline(preview, {
    params: options.params,
    ...definedOf({ shard: options.shard }),
    retryMs: 0,
    onEvent: (event) => {
      if (event.kind === 'dead-letter') options.onLetter(event.letter)
      if (event.kind === 'noted') options.onNote?.(event.note)
    },
  })
  return (await run.done).run.read
}

/** A source that ends after its first records, or when no more arrived for a while. */
function firstOf(source: Source<unknown>, { records, waitMs }: PreviewOptions): Source<unknown> {
  const { kind, title, columns, findColumns, isUnbounded, isTabular, shared } = source
  const budget = { left: records }
  return {
    kind,
    title,
    ...definedOf({ columns, isTabular, shared }),
    ...(findColumns === undefined ? {} : { findColumns: (options) => source.findColumns?.(options) as never }),
    splits: (options) => source.splits(options),
    async open(split, from, options = {}) {
      // A bounded source is awaited.
      const waiting = isUnbounded === true ? AbortSignal.timeout(waitMs) : new AbortController().signal
      const signal = options.signal === undefined ? waiting : AbortSignal.any([options.signal, waiting])
      const reader = await source.open(split, from, { ...options, signal })
      return new FirstReader(reader, waiting, budget)
    },
  }
}

class FirstReader implements SplitReader<unknown> {
  readonly #reader: SplitReader<unknown>
  readonly #waiting: AbortSignal
  /** How many more records may be read, of all splits together. */
  readonly #budget: { left: number }

  constructor(reader: SplitReader<unknown>, waiting: AbortSignal, budget: { left: number }) {
    this.#reader = reader
    this.#waiting = waiting
    this.#budget = budget
  }

  async read(max: number): Promise<ReadBatch<unknown> | undefined> {
    const most = Math.min(max, this.#budget.left)
    if (most === 0) return undefined
    this.#budget.left -= most
    try {
      const read = await this.#reader.read(most)
      this.#budget.left += most - (read === undefined ? 0 : read.events.length + read.rejected.length)
      return read
    } catch (error) {
      // Nothing more arrived in time.
      if (this.#waiting.aborted) return undefined
      throw error
    }
  }

  position(): ReturnType<SplitReader<unknown>['position']> {
    return this.#reader.position()
  }

  get counts(): SplitReader<unknown>['counts'] {
    return this.#reader.counts
  }

  get doneBytes(): number {
    return this.#reader.doneBytes
  }

  async close(): Promise<void> {
    await this.#reader.close()
  }
}

/** A sink that shows its rows; the results of the real sink's dry run count. */
function drySink(parts: PipelineParts, name: string, { onRow, isSinkAsked = true }: PreviewOptions): Sink<unknown> {
  const { kind, title, deadLetters, guarantee, isKeyed, takesShards, dryRun } = parts.sink
  return {
    kind,
    title,
    deadLetters,
    guarantee,
    ...definedOf({ isKeyed, takesShards }),
    async open(opening) {
      if (!isSinkAsked) return new DryWriter(undefined, onRow)
      const writer = await dryRun?.(opening)
      try {
        await checkResumes(parts, name, writer?.checkpoint)
        return new DryWriter(writer, onRow)
      } catch (error) {
        await writer?.close()
        throw error
      }
    },
  }
}

class DryWriter implements SinkWriter<unknown> {
  /** A preview starts at the beginning, wherever the pipeline stands. */
  readonly checkpoint = undefined
  readonly #writer: SinkWriter<unknown> | undefined
  readonly #onRow: (row: unknown) => void

  constructor(writer: SinkWriter<unknown> | undefined, onRow: (row: unknown) => void) {
    this.#writer = writer
    this.#onRow = onRow
  }

  async write(rows: Batch): Promise<readonly DeadLetter[]> {
    const own = withOwnOrigins(rows)
    const letters = (await this.#writer?.write(own)) ?? []
    const refused = new Set(letters.map(({ origin }) => origin))
    for (let at = 0; at < own.length; at += 1) {
      const origin = own.origin(at)
      if (origin === undefined || !refused.has(origin)) this.#onRow(own.at(at))
    }
    return letters
  }

  writeDeadLetters(): void {}

  async share(listed: readonly ListedSplit[]): Promise<readonly ListedSplit[]> {
    return (await this.#writer?.share?.(listed)) ?? []
  }

  async commit(checkpoint: Checkpoint): Promise<void> {
    const { epoch = 0 } = this.#writer?.checkpoint ?? {}
    await this.#writer?.commit({ ...checkpoint, epoch: epoch + checkpoint.epoch })
  }

  async close(): Promise<void> {
    await this.#writer?.close()
  }
}

/**
 * @throws {SluiceError} POSITION_LOST, CHECKPOINT_INVALID if a run could not continue from its checkpoint
 */
async function checkResumes(parts: PipelineParts, name: string, checkpoint: Checkpoint | undefined): Promise<void> {
  if (checkpoint === undefined) return await refuseTakenPlaces(parts, name)
  const plan = planOf(parts, name)
  const own = sourceOf(parts, plan)
  const sources = [own, ...furtherSources(plan)]
  const resumePoint = (await resumePositions(sources, checkpoint, {}))(checkpoint)
  const kept = new StateParts(name, keptBy(layOut(plan.node, { stages: 1, input: own })), checkpoint.states)
  for (const [id, states] of kept.states()) for (const state of states) unpackState(id, state)
  for (const source of sources) {
    for (const split of await source.splits()) {
      const from = resumePoint.positions.get(source.nameOf(split))
      if (from !== undefined) await (await source.open(split, from)).close()
    }
  }
}
