// sluice explain, sluice graph: how a pipeline or a flow would run, in words or as a Mermaid diagram.

import type { Sink } from '../connect/sink.ts'
import { explain } from '../engine/explain.ts'
import { mermaidOf, type Picture, wordsOf } from '../engine/picture.ts'
import { layOut } from '../flow/layout.ts'
import { worksOf } from '../flow/topology.ts'
import { buildPipeline, planOf, sourceOf } from '../pipeline/build.ts'
import { promisedBy, promiseText, refusalOf } from '../pipeline/guarantee.ts'
import type { Pipeline, PipelineParts } from '../pipeline/pipeline.ts'
import { OK } from './exit.ts'
import type { Io } from './io.ts'
import { load } from './load.ts'
import { type ExplainOptions, refuseEngine, refuseParams } from './options.ts'

/** Runs the command that describes what a file exports: in words, or as a Mermaid diagram. Returns the exit code. */
export function tell(as: 'mermaid' | 'words') {
  return async (
    { file, params, threads, isOnEngine }: ExplainOptions & { readonly file: string },
    { stdout }: Io,
  ): Promise<number> => {
    const loaded = await load(file)
    if (loaded.kind === 'pipeline') {
      const { pipeline } = loaded
      if (isOnEngine) {
        stdout.write(await onEngine(pipeline, params))
        return OK
      }
      stdout.write(explainPipeline(buildPipeline(pipeline, params), pipeline.name, { as, threads }))
      return OK
    }
    if (isOnEngine) refuseEngine(file)
    refuseParams(file, params)
    stdout.write(await explain(loaded.module, { as, ...(threads === undefined ? {} : { threads }) }))
    return OK
  }
}

async function onEngine(pipeline: Pipeline, params: ReadonlyMap<string, string>): Promise<string> {
  const [{ layOutPipeline }, { explainOnEngine }, { SHARDS }] = await Promise.all([
    import('../beam/plan/laid-out.ts'),
    import('../beam/plan/explain.ts'),
    import('../beam/submit/engine.ts'),
  ])
  return explainOnEngine(layOutPipeline(pipeline, params, SHARDS))
}

interface ExplainPipelineOptions {
  readonly as: 'mermaid' | 'words'
  /** As for a run: this thread alone if undefined. */
  readonly threads?: number | undefined
}

/**
 * Says how a pipeline would run, without running it; nothing is opened.
 *
 * @param name - the pipeline's
 * @throws {SluiceError} CONFIG_INVALID for a flow that a pipeline cannot run
 */
export function explainPipeline(
  parts: PipelineParts,
  name: string,
  { as, threads = 0 }: ExplainPipelineOptions,
): string {
  const plan = planOf(parts, name)
  const source = sourceOf(parts, plan)
  const taking = (into: Sink<never>) => ({ title: into.title, promise: promiseText(promisedBy(parts, into)) })
  const picture: Picture = {
    topology: layOut(plan.node, { stages: Math.max(1, threads), input: source }),
    choice: { threads, why: threads === 0 ? 'no threads were asked for' : 'as requested' },
    works: (layer) => {
      const isOwn = layer.work.kind === 'source' && layer.work.source === source
      return isOwn ? [source.title, ...worksOf(layer).slice(1)] : worksOf(layer)
    },
    load: {
      ...taking(parts.sink),
      branches: [...(parts.sink.branches ?? [])].map(([branch, into]) => ({ name: branch, ...taking(into) })),
    },
    refusal: refusalOf(parts, name),
  }
  return (as === 'mermaid' ? mermaidOf : wordsOf)(picture)
}
