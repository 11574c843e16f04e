// The module of a pipeline: every thread that runs a part of it imports it.

import { SluiceError } from '../base/errors.ts'
import type { Job } from '../engine/threads/job.ts'
import { isPipeline, type Pipeline } from './pipeline.ts'

/**
 * Imports the module, and gives its pipeline.
 *
 * @throws {SluiceError} FLOW_MISMATCH if it exports no pipeline of this name
 */
export async function loadPipeline({ module, name }: Job): Promise<Pipeline> {
  const exported = (await import(module)) as Record<string, unknown>
  const found = exported[name]
  if (isPipeline(found)) return found
  const pipelines = Object.keys(exported).filter((key) => isPipeline(exported[key]))
  const others = pipelines.length === 0 ? 'no pipeline at all' : pipelines.join(', ')
  throw new SluiceError('FLOW_MISMATCH', `Cannot run ${module}: it exports no pipeline as ${name}, but ${others}`, {
    module,
    found: others,
  })
}
