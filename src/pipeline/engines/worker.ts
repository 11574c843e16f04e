// The entry of a worker that runs its share of a pipeline.

import { workOn } from '../../engine/threads/work.ts'
import { layOut } from '../../flow/layout.ts'
import { buildPipeline, planOf, sourceOf } from '../build.ts'
import { loadPipeline } from '../load.ts'

await workOn(async (job, stages) => {
  const pipeline = await loadPipeline(job)
  const parts = buildPipeline(pipeline, job.params ?? new Map())
  const plan = planOf(parts, pipeline.name)
  return layOut(plan.rest, { stages, input: sourceOf(parts, plan) })
})
