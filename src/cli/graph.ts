// sluice graph: a pipeline or a flow as a Mermaid diagram.

import { explain } from '../engine/explain.ts'
import { buildPipeline } from '../pipeline/build.ts'
import { mermaid } from '../pipeline/mermaid.ts'
import { OK } from './exit.ts'
import { graphHelp } from './help.ts'
import type { Io } from './io.ts'
import { load } from './load.ts'
import { readGraphOptions, refuseParams } from './options.ts'

/** Runs `sluice graph` with its arguments; gives the exit code. */
export async function graphCommand(argv: readonly string[], io: Io): Promise<number> {
  const { file, params, help } = readGraphOptions(argv)
  if (help || file === undefined) io.stdout.write(graphHelp())
  else io.stdout.write(await draw(file, params))
  return OK
}

async function draw(file: string, params: ReadonlyMap<string, string>): Promise<string> {
  const loaded = await load(file)
  if (loaded.kind === 'pipeline') return mermaid(buildPipeline(loaded.pipeline, params))
  refuseParams(file, params)
  return await explain(loaded.module, { as: 'mermaid' })
}
