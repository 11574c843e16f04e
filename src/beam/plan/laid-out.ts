// A pipeline laid out for an engine: the same where it is submitted and in each of its workers.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { invariant } from '../../base/invariant.ts'
import type { Job } from '../../engine/job.ts'
import type { PipelineSource } from '../../engine/pipeline-source.ts'
import { layOut } from '../../flow/layout.ts'
import { fingerprintOf, type Layer, type Topology } from '../../flow/topology.ts'
import { buildPipeline, planOf, sourceOf } from '../../pipeline/build.ts'
import { loadPipeline } from '../../pipeline/load.ts'
import type { Pipeline, PipelineParts } from '../../pipeline/pipeline.ts'
import { type EngineStage, engineStagesOf } from './engine-stages.ts'
import type { Task } from './task.ts'

export interface LaidOut {
  readonly pipeline: Pipeline
  readonly parts: PipelineParts
  readonly topology: Topology
  readonly stages: readonly EngineStage[]
  readonly fingerprint: string
  /** Whether rows are made of many records. */
  readonly hasResults: boolean
}

/** Imports the module and lays its pipeline out. */
export async function layOutFor(
  job: Pick<Job, 'module' | 'name' | 'params' | 'laidOutBy'>,
  shards: number,
): Promise<LaidOut> {
  return layOutPipeline(await loadPipeline(job), job.params ?? new Map(), shards)
}

/** Lays a pipeline out; reads and opens nothing. */
export function layOutPipeline(pipeline: Pipeline, params: ReadonlyMap<string, string>, shards: number): LaidOut {
  const parts = buildPipeline(pipeline, params)
  const plan = planOf(parts, pipeline.name)
  const topology = layOut(plan.node, { stages: shards, input: sourceOf(parts, plan) })
  const stages = engineStagesOf(topology)
  return { pipeline, parts, topology, stages, fingerprint: fingerprintOf(topology), hasResults: plan.hasResults }
}

/** The stage that a task is about. */
export function stageOf({ stages }: LaidOut, { stage: number }: Task): EngineStage {
  const stage = stages[number - 1]
  invariant(stage !== undefined, `the plan has no stage ${number}`)
  return stage
}

/** The source of a layer that reads. */
export function sourceOfLayer({ work, number }: Layer): PipelineSource {
  if (work.kind === 'source') return work.source as PipelineSource
  throw new TypeError(`layer ${number} reads nothing`)
}

/** What a module is, byte by byte. */
export async function sha256Of(module: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(fileURLToPath(module)))
    .digest('hex')
}
