// sluice explain, sluice graph: how a pipeline or a flow would run, in words or as a Mermaid diagram.

import { explain } from '../engine/explain.ts'
import { buildPipeline } from '../pipeline/build.ts'
import { explainPipeline } from '../pipeline/explain.ts'
import { OK } from './exit.ts'
import type { Io } from './io.ts'
import { load } from './load.ts'
import { type ExplainOptions, refuseParams } from './options.ts'

/** Runs the command that describes what a file exports: in words, or as a Mermaid diagram. Returns the exit code. */
export function tell(as: 'mermaid' | 'words') {
  return async (
    { file, params, threads }: ExplainOptions & { readonly file: string },
    { stdout }: Io,
  ): Promise<number> => {
    const loaded = await load(file)
    if (loaded.kind === 'pipeline') {
      const { pipeline } = loaded
      stdout.write(explainPipeline(buildPipeline(pipeline, params), pipeline.name, { as, threads }))
      return OK
    }
    refuseParams(file, params)
    stdout.write(await explain(loaded.module, { as, ...(threads === undefined ? {} : { threads }) }))
    return OK
  }
}
