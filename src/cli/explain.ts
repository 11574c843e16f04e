// sluice explain, sluice graph: how a pipeline or a flow would run, in words or as a Mermaid diagram.

import { explain } from '../engine/explain.ts'
import { buildPipeline } from '../pipeline/build.ts'
import { explainPipeline } from '../pipeline/explain.ts'
import { OK } from './exit.ts'
import { explainHelp, graphHelp } from './help.ts'
import type { Io } from './io.ts'
import { load } from './load.ts'
import { readExplainOptions, refuseParams } from './options.ts'

/** Runs `sluice explain` with its arguments; gives the exit code. */
export async function explainCommand(argv: readonly string[], io: Io): Promise<number> {
  return await tell('explain', 'words', argv, io)
}

/** Runs `sluice graph` with its arguments; gives the exit code. */
export async function graphCommand(argv: readonly string[], io: Io): Promise<number> {
  return await tell('graph', 'mermaid', argv, io)
}

async function tell(
  command: 'explain' | 'graph',
  as: 'mermaid' | 'words',
  argv: readonly string[],
  { stdout }: Io,
): Promise<number> {
  const { file, params, threads, help } = readExplainOptions(command, argv)
  if (help || file === undefined) {
    stdout.write(command === 'explain' ? explainHelp() : graphHelp())
    return OK
  }
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
