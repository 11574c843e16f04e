// What an engine cannot run: found before anything is submitted, all of it at once.

import { SluiceError } from '../../base/errors.ts'
import { operatorText } from '../../flow/name.ts'
import { nodesOf, type PlanNode } from '../../flow/plan.ts'
import { sourcesOf } from '../../pipeline/guarantee.ts'
import type { WindowSpec } from '../../window/window.ts'
import type { LaidOut } from './laid-out.ts'

/** @throws {SluiceError} NOT_PORTABLE with every reason, and the way out of each */
export function refuseUnportable(job: LaidOut): void {
  const { name } = job.pipeline
  const reasons = refusalsOf(job)
  if (reasons.length === 0) return
  const message = `Cannot run ${name} on an engine: ${reasons.join('; and ')}`
  throw new SluiceError('NOT_PORTABLE', message, { pipeline: name, reasons })
}

/** Every reason why an engine cannot run a pipeline, each with the way out. */
export function refusalsOf(job: LaidOut): readonly string[] {
  return [...ofSources(job), ...ofOperators(job), ...ofSink(job)]
}

/** A part that another worker must be able to read again. */
function* ofSources({ parts }: LaidOut): Generator<string> {
  for (const { title = 'its source', isUnbounded, needsAck, delivery, kind } of sourcesOf(parts)) {
    if (isUnbounded === true) yield `${title} does not end, and an engine runs what ends: run it with --threads`
    else if (needsAck === true || delivery === 'at-most-once') {
      yield `${title} cannot be read again by another worker: put a broker or files before it`
    } else if (kind === 'stdin') yield `${title} is the input of one process: write it to files first`
  }
}

function* ofOperators({ parts, topology }: LaidOut): Generator<string> {
  for (const node of nodesOf(parts.node)) {
    const reason = reasonOf(node)
    if (reason !== undefined) yield `${operatorText(node.operator)} ${reason}`
  }
  for (const { work } of topology.layers) {
    if (work.kind === 'throughStages')
      yield `throughStages (${work.name}) has stages of your own: use operators instead`
  }
}

function reasonOf(node: PlanNode): string | undefined {
  const { operator } = node
  if (operator.kind === 'mapAsync' && operator.settings.ratePerSecond !== undefined) {
    return 'has a rate that workers do not share: limit its concurrency instead'
  }
  if (operator.kind === 'reduce' && !operator.isGlobal && operator.by === undefined && !hasStages(node)) {
    return 'has a state for each stage of a partition, and their number is not given: give partition its stages, or use keyBy and aggregate'
  }
  const window = 'window' in operator ? (operator.window as WindowSpec<never> | undefined) : undefined
  return window === undefined ? undefined : reasonOfWindow(window)
}

/** Whether the partition that a node comes after says how many stages it has. */
function hasStages({ inputs: [above] }: PlanNode): boolean {
  if (above === undefined) return false
  const { operator } = above
  if (operator.kind === 'partition' || operator.kind === 'shuffle') return operator.stages !== undefined
  return hasStages(above)
}

/** Times, and the end of the input, are the same everywhere; what comes first, and when, is not. */
function reasonOfWindow({ kind, triggers }: WindowSpec<never>): string | undefined {
  if (kind === 'count')
    return 'has windows of so many events, in an order that workers do not have: use windows of event time'
  if (kind === 'processingTime') return 'has windows by the clock of a worker: use windows of event time'
  if (triggers.length === 0) return undefined
  return 'has results before its windows end, and a run that ends emits them at the end: leave its triggers out'
}

function* ofSink({ parts, hasResults }: LaidOut): Generator<string> {
  const { sink } = parts
  if (sink.lends !== true) yield `${sink.title} has one writer: write to a table of SQLite or PostgreSQL`
  else if (sink.isKeyed !== true && hasResults) {
    yield `${sink.title} has no key, so that a part that is done again would write its rows twice: give the sink a key`
  }
}
