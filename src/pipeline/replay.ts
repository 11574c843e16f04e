// Tries dead letters again: through the same flow, into the same sink, each exactly once.

import { SluiceError } from '../base/errors.ts'
import type { Entry } from '../connect/origin.ts'
import type { KeptLetter, Sink, SinkInspector } from '../connect/sink.ts'
import { branchPipeline } from '../connect/sinks/several/record.ts'
import type { Source } from '../connect/source.ts'
import { buildPipeline } from './build.ts'
import type { Params } from './param.ts'
import type { Pipeline } from './pipeline.ts'
import { type StartOptions, startFrom } from './start.ts'

/** What became of dead letters. */
export interface ReplayReport {
  readonly tried: number
  /** Those that are rows now. */
  readonly loaded: number
  /** Those that failed again. */
  readonly dead: number
  /** Those of events that were made of many: there is no record to read again. */
  readonly skipped: number
}

/** Letters of one commit. */
const AT_ONCE = 5000

/**
 * Reads dead letters of a pipeline again from their raw form, and lets them go through its flow. What is loaded is no
 * letter any more, in one transaction; what fails again stays one, with its new reason. Stopped at any moment and done
 * again, it comes to the same.
 *
 * @param isWanted - which letters; all by default
 * @throws {SluiceError} CONFIG_INVALID where source or sink cannot do it; PIPELINE_HELD while a run is under way
 */
export async function replayDeadLetters<P extends Params>(
  pipeline: Pipeline<P>,
  options: StartOptions = {},
  isWanted: (letter: KeptLetter) => boolean = () => true,
): Promise<ReplayReport> {
  const { source, sink } = buildPipeline(pipeline, options.params ?? new Map())
  const { reparse } = source
  if (reparse === undefined) throw cannot(pipeline.name, `${source.title} cannot be read again record by record`)
  const inspector = await inspectorOf(sink, pipeline.name)
  let [tried, loaded, dead, skipped] = [0, 0, 0, 0]
  try {
    let after: KeptLetter | undefined
    for (;;) {
      const found = await inspector.letters({ limit: AT_ONCE, ...(after === undefined ? {} : { after }) })
      if (found.length === 0) return { tried, loaded, dead, skipped }
      after = found.at(-1)
      const wanted = found.filter(isWanted)
      const letters = wanted.filter(({ origin }) => origin.line > 0 || origin.raw !== '')
      const own = letters.filter(
        (letter) => letter.origin.source !== letter.step && letter.origin.source !== pipeline.name,
      )
      skipped += wanted.length - own.length
      if (own.length === 0) continue
      const all = { ...options, epochMs: Number.MAX_SAFE_INTEGER, epochEvents: Number.MAX_SAFE_INTEGER }
      const run = await startFrom(pipeline, all, { source: lettersSource(own, reparse), letters: own })
      const { run: totals } = await run.done
      tried += own.length
      loaded += totals.loaded
      dead += totals.dead + own.length
    }
  } finally {
    await inspector.close()
  }
}

/**
 * @param branch - one of several sinks, by its name; undefined for the first
 * @throws {SluiceError} CONFIG_INVALID if there is no looking into the sink, or no such branch
 */
export async function inspectorOf(sink: Sink<unknown>, pipeline: string, branch?: string): Promise<SinkInspector> {
  if (branch !== undefined) {
    const { branches = new Map<string, Sink<unknown>>() } = sink
    const into = branches.get(branch)
    if (into !== undefined) return await inspectorOf(into, branchPipeline(pipeline, branch))
    const names = branches.size === 0 ? 'it has none' : `it has ${[...branches.keys()].join(', ')}`
    throw cannot(pipeline, `there is no branch ${branch}: ${names}`)
  }
  if (sink.inspect === undefined) throw cannot(pipeline, `there is no looking into ${sink.title}`)
  return await sink.inspect(pipeline)
}

function cannot(pipeline: string, found: string): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot look after the dead letters and checkpoints of ${pipeline}: ${found}`
  return new SluiceError('CONFIG_INVALID', message, { key: 'into', value: undefined, allowed: '' })
}

function lettersSource(
  letters: readonly KeptLetter[],
  reparse: (origin: KeptLetter['origin']) => Entry<unknown>,
): Source<unknown> {
  return {
    kind: 'dead letters',
    title: `${letters.length} dead letters`,
    splits: async () => [{ id: 'dead letters' }],
    open: async () => {
      let at = 0
      return {
        read(max) {
          if (at === letters.length) return undefined
          const from = at
          at = Math.min(letters.length, at + max)
          return letters.slice(from, at).map(({ origin }) => reparse(origin))
        },
        position: () => at,
        // They were counted when they were read.
        counts: { read: 0, blank: 0, invalidUtf8: 0 },
        get doneBytes() {
          return at
        },
        close: async () => {},
      }
    },
  }
}
