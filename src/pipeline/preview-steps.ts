// The first records of a pipeline after every step of its flow; loads nothing.

import { type DeadLetter, plainOrigin } from '../connect/origin.ts'
import type { Source } from '../connect/source.ts'
import { isSplittable } from '../flow/source.ts'
import { type Tap, tapped } from '../flow/tapped.ts'
import type { Params } from './param.ts'
import type { Pipeline, PipelineParts } from './pipeline.ts'
import { previewPipeline } from './preview.ts'

export interface PreviewStepsOptions {
  readonly params: ReadonlyMap<string, string>
  /** How many records are read of each source. */
  readonly records: number
  /** How long to wait for an unbounded source, in milliseconds. */
  readonly waitMs: number
  /** How many events are kept of each step, and how many dead letters. */
  readonly kept: number
  /** A copy of an event, as it is now: a later step may change it. */
  readonly copy: (event: unknown) => unknown
}

/** What a step gave. */
export interface PreviewedStep {
  readonly number: number
  readonly title: string
  /** The steps that it takes from. */
  readonly inputs: readonly number[]
  readonly events: number
  /** The first of them. */
  readonly first: readonly unknown[]
}

export interface PreviewedSteps {
  readonly read: number
  readonly steps: readonly PreviewedStep[]
  readonly dead: number
  readonly firstDeadLetters: readonly DeadLetter[]
  readonly notes: readonly string[]
  /** Where rows would go, for people. */
  readonly sink: string
}

/**
 * Runs a pipeline over its first records, as if there were no others, and keeps the first events of each step. The sink
 * is not asked: it need not be there.
 *
 * @throws what a run would throw before it opens its sink, or while it reads
 */
export async function previewSteps<P extends Params>(
  pipeline: Pipeline<P>,
  { params, records, waitMs, kept, copy }: PreviewStepsOptions,
): Promise<PreviewedSteps> {
  const [counts, first] = [new Map<number, number>(), new Map<number, unknown[]>()]
  let [taps, parts]: [readonly Tap[], PipelineParts | undefined] = [[], undefined]
  const see = (number: number, event: unknown): void => {
    const count = (counts.get(number) ?? 0) + 1
    counts.set(number, count)
    if (count <= kept) first.set(number, [...(first.get(number) ?? []), copy(event)])
  }
  const seen: Pipeline<P> = {
    ...pipeline,
    build(values) {
      parts = pipeline.build(values)
      const { node, taps: own } = tapped(parts.node, see)
      taps = own
      return { ...parts, node }
    },
  }
  const [letters, notes]: [DeadLetter[], string[]] = [[], []]
  let dead = 0
  const read = await previewPipeline(seen, {
    ...{ params, records, waitMs, isSinkAsked: false },
    onRow: () => {},
    onLetter: (letter) => {
      dead += 1
      if (letters.length < kept) letters.push({ ...letter, origin: plainOrigin(letter.origin) })
    },
    onNote: (note) => void notes.push(note),
  })
  const { source, sink } = parts as unknown as PipelineParts
  const steps = taps.map((tap) => ({
    number: tap.number,
    title: titleOf(tap, source),
    inputs: tap.inputs,
    events: counts.get(tap.number) ?? 0,
    first: first.get(tap.number) ?? [],
  }))
  return { read, steps, dead, firstDeadLetters: letters, notes, sink: sink.title }
}

function titleOf({ operator, text }: Tap, { title }: Source<unknown>): string {
  if (text === undefined) return title
  if (operator.kind !== 'source') return text
  return operator.sources.map((source) => (isSplittable(source) ? source.title : operator.name)).join(', ')
}
