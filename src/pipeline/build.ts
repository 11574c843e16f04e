// From a pipeline and texts for its parameters to its parts, and to a plan that can be run.

import { messageOf, SluiceError } from '../base/errors.ts'
import { definedOf } from '../base/options.ts'
import type { Source, Split } from '../connect/source.ts'
import { PipelineSource } from '../engine/pipeline-source.ts'
import { rowKeyOf } from '../flow/fields.ts'
import { type PipelinePlan, pipelinePlan, type ReadAs, type Readable } from '../flow/pipeline-plan.ts'
import { nodesOf } from '../flow/plan.ts'
import { isSplittable } from '../flow/source.ts'
import { type Params, readParams } from './param.ts'
import type { Pipeline, PipelineParts } from './pipeline.ts'
import type { Replayed } from './replayed.ts'

/** @throws {SluiceError} CONFIG_INVALID for a flow that a pipeline cannot run */
export function planOf({ node }: PipelineParts, name: string, replayed?: Replayed): PipelinePlan {
  const again: Readable = (_, __, as) => {
    return new PipelineSource({ source: replayed?.sourceOf(as.number) as Source<unknown>, prefix: '', ...as })
  }
  try {
    return pipelinePlan(node, replayed === undefined ? readable : again)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw cannot('run', name, 'flow', error)
  }
}

/** The pipeline's own source, read to make a plan. */
export function sourceOf(
  { source }: Pick<PipelineParts, 'source'>,
  { sources }: PipelinePlan,
  splits?: readonly Split[],
): PipelineSource {
  return new PipelineSource({ source, sources, prefix: '', ...definedOf({ splits }) })
}

/** The further sources of a flow: those that it joins and merges with the pipeline's own. */
export function furtherSources({ node }: PipelinePlan): PipelineSource[] {
  const sources = nodesOf(node).flatMap(({ operator }) => (operator.kind === 'source' ? operator.sources : []))
  return sources.filter((source) => source instanceof PipelineSource)
}

/** A further source of the flow: a run must be able to continue from its position. */
function readable(source: unknown, name: string, as: ReadAs): PipelineSource {
  if (isSplittable(source)) return new PipelineSource({ source, prefix: `${name}: `, ...as })
  throw new TypeError(`${name} cannot be resumed by a later run: give it as a source, such as fileSource(...)`)
}

/**
 * Makes a pipeline's parts for parameters given as text; starts nothing.
 *
 * @throws {SluiceError} CONFIG_INVALID for a parameter that does not fit, and for whatever the user's functions throw
 */
export function buildPipeline<P extends Params>(
  pipeline: Pipeline<P>,
  given: ReadonlyMap<string, string>,
): PipelineParts {
  try {
    return withFlowKey(pipeline.build(readParams(pipeline.params, given, pipeline.name)))
  } catch (error) {
    if (error instanceof SluiceError) throw error
    throw cannot('build', pipeline.name, pipeline.name, error)
  }
}

function cannot(act: string, name: string, key: string, cause: unknown): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot ${act} pipeline ${name}: ${messageOf(cause)}`
  return new SluiceError('CONFIG_INVALID', message, { key, value: undefined, allowed: '' }, { cause })
}

/** Where the sink was given no key, the flow's own tells its rows apart, if it has one. */
function withFlowKey(parts: PipelineParts): PipelineParts {
  const { sink, node } = parts
  const key = sink.isKeyed === false ? rowKeyOf(node) : undefined
  if (key === undefined) return parts
  const { dryRun } = sink
  return {
    ...parts,
    sink: {
      ...sink,
      isKeyed: true,
      flowKey: key,
      open: async (options) => await sink.open({ ...options, key }),
      ...(dryRun === undefined ? {} : { dryRun: async (options) => await dryRun({ ...options, key }) }),
    },
  }
}
