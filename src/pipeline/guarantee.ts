// What a pipeline promises of its records and rows: by its source, its flow and its sink together.

import { SluiceError } from '../base/errors.ts'
import type { Guarantee, Sink } from '../connect/sink.ts'
import type { Source } from '../connect/source.ts'
import { operatorText } from '../flow/name.ts'
import { nodesOf } from '../flow/plan.ts'
import { givesAgain } from '../flow/results.ts'
import type { PipelineParts } from './pipeline.ts'

/**
 * What a crash does to each record: as for a sink, and `at-most-once` if the source cannot send it again, or `none` if
 * it may be lost and its row may also be duplicated.
 */
export type PipelineGuarantee = Guarantee | 'at-most-once' | 'none'

/** What a pipeline promises. */
export interface Promised {
  readonly guarantee: PipelineGuarantee
  /** The condition for it outside Sluice: `as long as the broker keeps its session`. */
  readonly provided?: string
  /** Operators whose results are emitted again, beside earlier ones, when a later run finds more. */
  readonly resultsAgain: readonly string[]
  /** The fields that tell rows apart, where the flow says so and the sink was given no key. */
  readonly key?: readonly string[]
}

/**
 * What a pipeline promises of the rows in one of its sinks.
 *
 * @param sink - the pipeline's own, or a branch of it
 */
export function promisedBy(parts: PipelineParts, sink: Sink<never> = parts.sink): Promised {
  const sources = sourcesOf(parts)
  const resultsAgain = sink.isKeyed === true || sink.guarantee === 'once-per-key' ? [] : heldOn(parts)
  const mayLose = sources.some(({ delivery }) => delivery === 'at-most-once')
  const mayRepeat = sink.guarantee === 'at-least-once' || resultsAgain.length > 0
  const provided = [...new Set(sources.flatMap((source) => source.provided ?? []))].join(', and ')
  const guarantee = mayLose ? (mayRepeat ? 'none' : 'at-most-once') : mayRepeat ? 'at-least-once' : sink.guarantee
  const { flowKey: key } = sink
  return { guarantee, resultsAgain, ...(provided === '' ? {} : { provided }), ...(key === undefined ? {} : { key }) }
}

/** The same in words: `exactly-once, as long as the topic keeps the records`. */
export function promiseText({ guarantee, provided, resultsAgain, key }: Promised): string {
  const level = guarantee === 'none' ? 'no guarantee (records may be lost, rows may come twice)' : guarantee
  const promised = provided === undefined ? level : `${level}, ${provided}`
  const told = key === undefined ? promised : `${promised}; key of the flow: ${key.join(', ')}`
  return resultsAgain.length === 0 ? told : `${told}; ${againText(resultsAgain)}`
}

/** What becomes of results that nothing overwrites. */
export function againText(operators: readonly string[]): string {
  const many = operators.length > 1
  return `results of ${operators.join(', ')} are emitted again, ${many ? 'each as a whole' : 'as a whole'}, when a later run finds more`
}

/**
 * Why a pipeline is rejected whose results would be stored twice; undefined if it is not.
 *
 * @param name - the pipeline's
 */
export function refusalOf(parts: PipelineParts, name: string): string | undefined {
  const again = parts.results === 'append' ? [] : heldOn(parts)
  if (again.length === 0) return undefined
  const { sink } = parts
  const sinks = [[undefined, sink] as const, ...(sink.branches ?? [])]
  const found = sinks.find(([, { isKeyed }]) => isKeyed === false)
  if (found === undefined) return undefined
  const [branch, into] = found
  const where = branch === undefined ? into.title : `${into.title} (branch ${branch})`
  const one = again.length === 1 ? 'emits its results' : 'emit their results'
  const why = `${again.join(', ')} ${one} as a whole again when a later run finds more, and ${where} has no key by which they would replace the earlier ones`
  return `Cannot run pipeline ${name}: ${why}: give the sink a key, or set results: 'append' in the pipeline to add them`
}

/** Why a pipeline is rejected whose source rereads rows that nothing would overwrite; undefined if it is not. */
function refusalOfLookBack(parts: PipelineParts, name: string): string | undefined {
  const source = sourcesOf(parts).find(({ readsAgain }) => readsAgain === true)
  if (source === undefined) return undefined
  const sinks = [parts.sink, ...(parts.sink.branches?.values() ?? [])]
  const into = sinks.find(({ isKeyed, guarantee }) => isKeyed !== true && guarantee !== 'once-per-key')
  if (into === undefined) return undefined
  const why = `${source.title} looks back at rows that were loaded before, and ${into.title} has no key by which they would be overwritten`
  return `Cannot run pipeline ${name}: ${why}: give the sink a key, or omit lookBack`
}

/**
 * @throws {SluiceError} CONFIG_INVALID for a pipeline whose results or rows would be stored twice
 */
export function refuseRepeats(parts: PipelineParts, name: string): void {
  const lookBack = refusalOfLookBack(parts, name)
  const refusal = lookBack ?? refusalOf(parts, name)
  if (refusal === undefined) return
  const results = { key: 'results', value: parts.results, allowed: "a key, or 'append'" }
  const again = { key: 'lookBack', value: undefined, allowed: 'a sink with a key' }
  throw new SluiceError('CONFIG_INVALID', refusal, lookBack === undefined ? results : again)
}

/** The operators whose results are emitted again: none if the source is unbounded. */
function heldOn(parts: PipelineParts): string[] {
  return sourcesOf(parts).some(({ isUnbounded }) => isUnbounded === true)
    ? []
    : givesAgain(parts.node).map(operatorText)
}

/** The pipeline's own source, and those that its flow joins and merges with it. */
export function sourcesOf({ source, node }: PipelineParts): readonly Partial<Source<unknown>>[] {
  const further = nodesOf(node).flatMap(({ operator }) => (operator.kind === 'source' ? operator.sources : []))
  return [source, ...(further as readonly Partial<Source<unknown>>[])]
}
