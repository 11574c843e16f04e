// sluice graph: a pipeline as a Mermaid diagram.

import { mermaid } from '../pipeline/mermaid.ts'
import { readParams } from '../pipeline/param.ts'
import { OK } from './exit.ts'
import { graphHelp } from './help.ts'
import type { Io } from './io.ts'
import { loadPipeline } from './load.ts'
import { readOptions } from './options.ts'

/** Runs `sluice graph` with its arguments; gives the exit code. */
export async function graphCommand(argv: readonly string[], io: Io): Promise<number> {
  const { file, params, help } = readOptions('graph', argv)
  if (help) io.stdout.write(graphHelp())
  else {
    const pipeline = await loadPipeline(file)
    io.stdout.write(mermaid(pipeline.build(readParams(pipeline.params, params, pipeline.name))))
  }
  return OK
}
