// The first records of a pipeline through its whole flow, into nothing.

import type { ReadBatch } from '../connect/batch.ts'
import type { DeadLetter } from '../connect/origin.ts'
import type { Sink, SinkWriter } from '../connect/sink.ts'
import type { Source, SplitReader } from '../connect/source.ts'
import { nodesOf, type PlanNode } from '../flow/plan.ts'
import { isSplittable } from '../flow/source.ts'
import type { Params } from './param.ts'
import type { Pipeline } from './pipeline.ts'
import { startPipeline } from './start.ts'

export interface PreviewOptions {
  readonly params: ReadonlyMap<string, string>
  /** How many records are read of each source. */
  readonly records: number
  /** How long a source that waits for more is waited for, in milliseconds. */
  readonly waitMs: number
  readonly onRow: (row: unknown) => void
  readonly onLetter: (letter: DeadLetter) => void
}

/**
 * Runs a pipeline over its first records, as if there were no others: what comes at the end of windows, joins and totals
 * comes, too. Nothing is loaded, and no source is told that anything was.
 *
 * @returns how many records were read, of all sources
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
      return { ...parts, source, node: withSources(parts.node, first), sink: nowhere(parts.sink, options) }
    },
  }
  const run = await startPipeline(preview, {
    params: options.params,
    // Rows and letters are told in the order of their records.
    epochEvents: 1,
    onEvent: (event) => {
      if (event.kind === 'rejected') options.onLetter(event.letter)
    },
  })
  return (await run.done).run.read
}

/** A source that ends after its first records, or when no more has come for a while. */
function firstOf(source: Source<unknown>, { records, waitMs }: PreviewOptions): Source<unknown> {
  const { kind, title, columns, findColumns } = source
  let left = records
  return {
    kind,
    title,
    ...(columns === undefined ? {} : { columns }),
    ...(findColumns === undefined ? {} : { findColumns: (options) => source.findColumns?.(options) as never }),
    splits: (options) => source.splits(options),
    async open(split, from, options = {}) {
      const waiting = AbortSignal.timeout(waitMs)
      const signal = options.signal === undefined ? waiting : AbortSignal.any([options.signal, waiting])
      const reader = await source.open(split, from, { ...options, signal })
      return new FirstReader(reader, waiting, (wanted) => {
        const given = Math.min(left, wanted)
        left -= given
        const giveBack = (rest: number): void => {
          left += rest
        }
        return { given, giveBack }
      })
    },
  }
}

type Take = (wanted: number) => { readonly given: number; readonly giveBack: (rest: number) => void }

class FirstReader implements SplitReader<unknown> {
  readonly #reader: SplitReader<unknown>
  readonly #waiting: AbortSignal
  readonly #take: Take

  constructor(reader: SplitReader<unknown>, waiting: AbortSignal, take: Take) {
    this.#reader = reader
    this.#waiting = waiting
    this.#take = take
  }

  async read(max: number): Promise<ReadBatch<unknown> | undefined> {
    const { given, giveBack } = this.#take(max)
    if (given === 0) return undefined
    try {
      const read = await this.#reader.read(given)
      giveBack(given - (read === undefined ? 0 : read.events.length + read.rejected.length))
      return read
    } catch (error) {
      // Nothing more came in time.
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

/** A sink that shows its rows and forgets them. */
function nowhere(
  { kind, title, deadLetters, guarantee, isKeyed }: Sink<unknown>,
  { onRow }: PreviewOptions,
): Sink<unknown> {
  const writer: SinkWriter<unknown> = {
    checkpoint: undefined,
    write(rows) {
      for (const row of rows.values()) onRow(row)
      return []
    },
    bury() {},
    commit() {},
    async close() {},
  }
  return {
    kind,
    title,
    deadLetters,
    guarantee,
    ...(isKeyed === undefined ? {} : { isKeyed }),
    open: async () => writer,
  }
}

/** The same plan, with other sources beside the pipeline's own. */
function withSources(last: PlanNode, of: (source: unknown) => unknown): PlanNode {
  const made = new Map<PlanNode, PlanNode>()
  for (const node of nodesOf(last)) {
    const { operator } = node
    const inputs = node.inputs.map((input) => made.get(input) as PlanNode)
    made.set(node, {
      operator: operator.kind === 'source' ? { ...operator, sources: operator.sources.map(of) } : operator,
      inputs,
    })
  }
  return made.get(last) as PlanNode
}
