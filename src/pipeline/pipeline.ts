// A pipeline: a named, resumable piece of work from a source to a sink. Describes; `startPipeline` runs it.

import { checkChoice, checkKeys, describeValue } from '../base/check.ts'
import type { Sink, TwoPhaseSink } from '../connect/sink.ts'
import type { Source } from '../connect/source.ts'
import { Flow } from '../flow/flow.ts'
import type { PlanNode } from '../flow/plan.ts'
import { isSplittable } from '../flow/source.ts'
import type { Params, ParamValues } from './param.ts'

/** What all pipelines have. */
interface CommonSpec<P extends Params, T, Row> {
  /** One line for people, shown by `sluice run FILE --help`. */
  readonly about?: string
  readonly params?: P
  /** Where events come from; a function if that depends on parameters. */
  readonly from: Source<T> | ((params: ParamValues<P>) => Source<T>)
  /**
   * What becomes of whole results (totals, windows, joins) that a later run emits again, in a table without a key:
   * `append` adds them to the earlier ones. Without it such a pipeline is rejected.
   */
  readonly results?: 'append'
  /** What the summary counts over the loaded rows: title → the row's value under it. */
  readonly top?: Readonly<Record<string, (row: RowOr<Row, T>) => string | number | null>>
}

/** A pipeline's definition: parts that can be swapped one by one. `Row` is what the flow ends with. */
export interface PipelineSpec<P extends Params, T, Row> extends CommonSpec<P, T, Row> {
  /** The steps in between. */
  readonly flow: (events: Flow<T>, params: ParamValues<P>) => Flow<Row, unknown> | NeedsReduction<Row>
  /** Where rows go; a function if that depends on parameters. */
  readonly into: Into<Row> | ((params: ParamValues<P>) => Into<Row>)
}

/** The same without a flow: rows are what the source gives. */
export interface UnchangedSpec<P extends Params, T, Row = T> extends CommonSpec<P, T, Row> {
  readonly flow?: never
  readonly into: Into<T> | ((params: ParamValues<P>) => Into<T>)
}

/** `Row`, unless the compiler could not infer it. */
type RowOr<Row, T> = 0 extends 1 & Row ? T : Row

type Into<Row> = Sink<NoInfer<Row>> | NeedsCheckpoints<NoInfer<Row>>

/** Never accepted: its property tells, in the compiler's message, what a two-phase sink lacks. */
interface NeedsCheckpoints<in Row> extends TwoPhaseSink<Row> {
  readonly 'wrap it in checkpointed(…, { store })': true
}

type Reductions = 'aggregate' | 'emitAndReduce' | 'fold' | 'groupBy' | 'reduce' | 'uniq' | 'window'

/** Never accepted: its property tells, in the compiler's message, what a windowed or keyed flow lacks. */
interface NeedsReduction<Row> extends Readonly<Record<Reductions, unknown>> {
  readonly 'follow window(…) and keyBy(…) with aggregate(…) or another reduction': Row
}

/** A pipeline with its parts made for given parameters: what a run takes. */
export interface PipelineParts {
  readonly source: Source<unknown>
  /** The last operator of the flow; its input stands for the source. */
  readonly node: PlanNode
  readonly sink: Sink<unknown>
  readonly results?: 'append' | undefined
  readonly top: Readonly<Record<string, (row: never) => string | number | null>>
}

/** What `pipeline()` gives and `sluice run` runs: an immutable description. */
export interface Pipeline<P extends Params = Params> {
  readonly kind: 'pipeline'
  readonly name: string
  readonly about: string
  readonly params: P
  /** Makes the parts for given values; reads and opens nothing. */
  readonly build: (values: ParamValues<P>) => PipelineParts
}

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/i

/**
 * Describes a pipeline.
 *
 * @param name - the name under which its checkpoints are stored: letters, digits, `.`, `_` and `-`, 64 at most
 * @throws {TypeError} if a part is missing or the name cannot be used
 * @example
 * const job = pipeline('errors', {
 *   params: { input: param.string('logs/*.log', 'files to read'), db: param.string('out.db', 'database to fill') },
 *   from: ({ input }) => fileSource(input, accessLog()),
 *   flow: (requests) => requests.filter((request) => request.status >= 500),
 *   into: ({ db }) => sqliteSink(db, { table: 'errors', key: ['file', 'offset'] }),
 * })
 * job.name // => 'errors'
 */
// biome-ignore lint/suspicious/noExplicitAny: until the flow says what rows are, a sink may take any
export function pipeline<const P extends Params, T, Row = any>(name: string, spec: PipelineSpec<P, T, Row>): Pipeline<P>
// Kept apart: with both at once, rows of a sink that depends on parameters would be inferred from the source.
// biome-ignore lint/suspicious/noExplicitAny: as above
export function pipeline<const P extends Params, T, Row = any>(
  name: string,
  spec: PipelineSpec<P, T, Row> | UnchangedSpec<P, T, Row>,
): Pipeline<P>
export function pipeline<const P extends Params, T, Row>(
  name: string,
  spec: PipelineSpec<P, T, Row> | UnchangedSpec<P, T, Row>,
): Pipeline<P> {
  if (!NAME.test(name))
    throw new TypeError(`The name of a pipeline consists of letters, digits, . _ and -: found "${name}"`)
  checkKeys(`Pipeline ${name}`, spec, ['about', 'params', 'from', 'flow', 'into', 'results', 'top'])
  if (spec.results !== undefined) checkChoice(`results of pipeline ${name}`, spec.results, ['append'])
  for (const part of ['from', 'into'] as const) {
    if (spec[part] === undefined || spec[part] === null) throw new TypeError(`Pipeline ${name} needs ${part}`)
  }
  const described: Pipeline<P> = {
    kind: 'pipeline',
    name,
    about: spec.about ?? '',
    params: spec.params ?? ({} as P),
    build: (values) => {
      const { from, flow, into, results, top = {} } = spec
      const events = new Flow<T>()
      return {
        source: checkedSource(name, typeof from === 'function' ? from(values) : from),
        node: checkedFlow(name, flow === undefined ? events : flow(events, values)).node,
        sink: checkedSink(name, typeof into === 'function' ? into(values) : into),
        results,
        top,
      }
    },
  }
  return Object.freeze(described)
}

/** Whether a module's export is a pipeline: by its shape, so that two copies of Sluice understand each other. */
export function isPipeline(value: unknown): value is Pipeline {
  if (typeof value !== 'object' || value === null) return false
  const { kind, build, params } = value as Partial<Pipeline>
  return kind === 'pipeline' && typeof build === 'function' && typeof params === 'object'
}

/** @throws {TypeError} if it is not a source */
function checkedSource(name: string, source: unknown): Source<unknown> {
  if (isSplittable(source)) return source
  throw new TypeError(`Pipeline ${name} reads from a source, such as fileSource(...): found ${describeValue(source)}`)
}

/**
 * @throws {TypeError} if it is not a flow, or a window or key is not followed by a reduction
 */
function checkedFlow(name: string, flow: unknown): Flow<unknown, unknown> {
  if (flow instanceof Flow) return flow
  const isReduced = typeof flow === 'object' && flow !== null && 'aggregate' in flow
  const advice = isReduced ? ': window(...) and keyBy(...) are followed by aggregate(...), or by another reduction' : ''
  throw new TypeError(`Pipeline ${name}: flow must return the flow that it was given, extended${advice}`)
}

/** @throws {TypeError} if it is not a sink, or keeps no checkpoints */
function checkedSink(name: string, sink: unknown): Sink<unknown> {
  const { kind, open, deadLetters } = (sink ?? {}) as Partial<Sink<unknown>>
  if (typeof open !== 'function') {
    throw new TypeError(`Pipeline ${name} writes into a sink, such as sqliteSink(...): found ${describeValue(sink)}`)
  }
  if (typeof deadLetters === 'string') return sink as Sink<unknown>
  throw new TypeError(
    `Pipeline ${name} cannot write into ${kind}: it keeps no checkpoints. Wrap it: checkpointed(sink, { store: 'FILE.db' })`,
  )
}
