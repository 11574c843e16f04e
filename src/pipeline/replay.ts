// Replays dead letters: through the same flow, into the same sink, each exactly once.

import { SluiceError } from '../base/errors.ts'
import { branchPipeline } from '../connect/fan-out/branches/record.ts'
import { isOfRecord } from '../connect/origin.ts'
import { readShard, WHOLE } from '../connect/shard.ts'
import type { Sink, SinkInspector, StoredDeadLetter } from '../connect/sink.ts'
import { sourcesBeside } from '../flow/pipeline-plan.ts'
import { isSplittable } from '../flow/source.ts'
import { buildPipeline } from './build.ts'
import type { Params } from './param.ts'
import type { Pipeline } from './pipeline.ts'
import { Replayed } from './replayed.ts'
import { checkStart, type StartOptions, startFrom } from './start.ts'

/** What became of dead letters. */
export interface ReplayReport {
  readonly tried: number
  /** Rows made from them; the results of open state are emitted again, including them. */
  readonly loaded: number
  /** Those that failed again. */
  readonly dead: number
  /** Those without a record that can be read again: events made from many records, or of another kind of source. */
  readonly skipped: number
}

/** Dead letters per commit. */
const AT_ONCE = 5000

/**
 * Parses dead letters of a pipeline again from their raw form, and sends them through its flow. What is loaded is
 * deleted as a dead letter, in one transaction; what fails again stays one, with its new reason. If stopped at any
 * moment and repeated, the result is the same.
 *
 * @param isWanted - which dead letters; all by default
 * @throws {SluiceError} CONFIG_INVALID if the source or sink does not support it; PIPELINE_HELD while a run is under
 *   way
 */
export async function replayDeadLetters<P extends Params>(
  pipeline: Pipeline<P>,
  options: StartOptions = {},
  isWanted: (letter: StoredDeadLetter) => boolean = () => true,
): Promise<ReplayReport> {
  checkStart('replayDeadLetters', options)
  const { source, sink, node } = buildPipeline(pipeline, options.params ?? new Map())
  const sources = [source, ...sourcesBeside(node).filter(isSplittable)]
  const reparse = sources.map((one) => (one.reparse === undefined ? undefined : one.reparse.bind(one)))
  if (reparse.every((one) => one === undefined)) {
    throw cannot(pipeline.name, `${source.title} cannot be read again record by record`)
  }
  const isTriable = (letter: StoredDeadLetter): boolean => {
    return hasRecord(letter, pipeline.name) && reparse[letter.part % reparse.length] !== undefined
  }
  const inspector = await inspectorOf(sink, pipeline.name)
  let [tried, loaded, dead, skipped] = [0, 0, 0, 0]
  try {
    const { epoch: last = 0, shards = [] } = (await inspector.checkpoint()) ?? {}
    // As one of the existing copies: another number of them would continue from here.
    const came = shards.find(({ isMissing }) => !isMissing)?.shard
    const shard = (came === undefined ? undefined : readShard(came)) ?? WHOLE
    let after: StoredDeadLetter | undefined
    for (;;) {
      const found = await inspector.deadLetters({ limit: AT_ONCE, ...(after === undefined ? {} : { after }) })
      if (found.length === 0) return { tried, loaded, dead, skipped }
      after = found.at(-1)
      // Those that failed again are dead letters of a later epoch.
      const wanted = found.filter((letter) => letter.epoch <= last && isWanted(letter))
      const letters = wanted.filter(isTriable)
      skipped += wanted.length - letters.length
      if (letters.length === 0) continue
      const run = await startFrom(pipeline, { ...options, shard }, new Replayed(letters, reparse))
      const { run: totals } = await run.done
      tried += letters.length
      loaded += totals.loaded
      dead += totals.dead + letters.length
    }
  } finally {
    await inspector.close()
  }
}

/** Whether there is a record to read again. */
function hasRecord({ origin, step }: StoredDeadLetter, pipeline: string): boolean {
  const { source, line, raw } = origin
  if (!isOfRecord(origin) || (line === 0 && raw === '')) return false
  // Dead letters of earlier versions name the step or the pipeline if there was no record.
  return line > 0 || (source !== step && source !== pipeline)
}

/**
 * @param branch - one of several sinks, by its name; undefined for the first
 * @throws {SluiceError} CONFIG_INVALID if the sink cannot be inspected, or there is no such branch
 */
export async function inspectorOf(sink: Sink<never>, pipeline: string, branch?: string): Promise<SinkInspector> {
  if (branch !== undefined) {
    const { branches = new Map<string, Sink<never>>() } = sink
    const into = branches.get(branch)
    if (into !== undefined) return await inspectorOf(into, branchPipeline(pipeline, branch))
    const names = branches.size === 0 ? 'it has none' : `it has ${[...branches.keys()].join(', ')}`
    throw cannot(pipeline, `there is no branch ${branch}: ${names}`)
  }
  if (sink.inspect === undefined) throw cannot(pipeline, `${sink.title} cannot be inspected`)
  return await sink.inspect(pipeline)
}

function cannot(pipeline: string, found: string): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot manage the dead letters and checkpoints of ${pipeline}: ${found}`
  return new SluiceError('CONFIG_INVALID', message, { key: 'into', value: undefined, allowed: '' })
}
