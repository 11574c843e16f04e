// What the dashboard shows and controls: a run, and what its pipeline has stored.

import type { SinkInspector } from '../connect/sink.ts'
import { buildPipeline } from '../pipeline/build.ts'
import type { Params } from '../pipeline/param.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { inspectorOf } from '../pipeline/replay.ts'
import type { RunSnapshot } from '../pipeline/snapshot.ts'
import type { PipelineRun } from '../pipeline/start.ts'

/** A run as the dashboard knows it. */
export interface WatchedRun {
  readonly pipeline: string
  snapshot(): RunSnapshot
  pause(): void
  resume(): void
  drain(why: string): Promise<unknown>
  /**
   * Inspects the sink; the caller closes it.
   * @throws {SluiceError} CONFIG_INVALID if the sink cannot be inspected, or there is no such branch
   */
  inspect(branch: string | undefined): Promise<SinkInspector>
  /** Names of the branches of a fan-out sink; none by default. */
  branches?(): readonly string[]
}

/** Inspects the sink of a pipeline, which is built again each time: nothing stays open in between. */
export function inspecting<P extends Params>(
  pipeline: Pipeline<P>,
  params: ReadonlyMap<string, string>,
): WatchedRun['inspect'] {
  return async (branch) => await inspectorOf(buildPipeline(pipeline, params).sink, pipeline.name, branch)
}

/** Names the branches of a pipeline's sink, which is built again each time. */
export function branchesOf<P extends Params>(
  pipeline: Pipeline<P>,
  params: ReadonlyMap<string, string>,
): () => readonly string[] {
  return () => [...(buildPipeline(pipeline, params).sink.branches?.keys() ?? [])]
}

/**
 * A run that was started, as the dashboard takes it: `dashboard.watch(watchedRun(run, orders))`.
 *
 * @param params - the parameters of the run, so that its own sink is inspected
 */
export function watchedRun<P extends Params>(
  run: PipelineRun,
  pipeline: Pipeline<P>,
  params: ReadonlyMap<string, string> = new Map(),
): WatchedRun {
  return {
    pipeline: pipeline.name,
    snapshot: () => run.snapshot(),
    pause: () => run.pause(),
    resume: () => run.resume(),
    drain: (why) => run.drain(why),
    inspect: inspecting(pipeline, params),
    branches: branchesOf(pipeline, params),
  }
}
