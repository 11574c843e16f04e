// The module of a pipeline: every thread that runs a part of it imports it.

import { importFrom, type Job, type JobLayout } from '../engine/job.ts'
import { layOut } from '../flow/layout.ts'
import { buildPipeline, planOf, sourceOf } from './build.ts'
import { isPipeline, type Pipeline } from './pipeline.ts'

/** Layers of a pipeline. */
export const PIPELINE_LAYOUT = '#pipeline-layout'

export const layOutJob: JobLayout['layOutJob'] = async (job, stages) => {
  const pipeline = await loadPipeline(job)
  const parts = buildPipeline(pipeline, job.params ?? new Map())
  const plan = planOf(parts, pipeline.name)
  return layOut(plan.node, { stages, input: sourceOf(parts, plan) })
}

/**
 * Imports the module, and gives its pipeline.
 *
 * @throws {SluiceError} FLOW_MISMATCH if it exports no pipeline of this name
 */
export async function loadPipeline(job: Job): Promise<Pipeline> {
  return await importFrom(job, 'pipeline', isPipeline)
}
