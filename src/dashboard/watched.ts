// What the dashboard shows and steers: a run, and a look into what its pipeline keeps.

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
   * Looks into the sink; who asked for it closes it.
   * @throws {SluiceError} CONFIG_INVALID if there is no looking into it, or no such branch
   */
  inspect(branch: string | undefined): Promise<SinkInspector>
  /** Names of the branches of a sink that is several; none by default. */
  branches?(): readonly string[]
}

/** What looks into the sink of a pipeline, which is built anew each time: nothing is held open in between. */
export function inspecting<P extends Params>(
  pipeline: Pipeline<P>,
  params: ReadonlyMap<string, string>,
): WatchedRun['inspect'] {
  return async (branch) => await inspectorOf(buildPipeline(pipeline, params).sink, pipeline.name, branch)
}

/** What names the branches of a pipeline's sink, which is built anew each time. */
export function branchesOf<P extends Params>(
  pipeline: Pipeline<P>,
  params: ReadonlyMap<string, string>,
): () => readonly string[] {
  return () => [...(buildPipeline(pipeline, params).sink.branches?.keys() ?? [])]
}

/**
 * A run that was started, as the dashboard takes it: `dashboard.watch(watchedRun(run, orders))`.
 *
 * @param params - parameters that the run was started with, so that dead letters are looked for in the same sink
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
