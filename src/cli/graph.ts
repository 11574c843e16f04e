// sluice graph: a pipeline as a Mermaid diagram.

import { mermaid } from '../pipeline/mermaid.ts'
import { buildPipeline } from '../pipeline/start.ts'
import { OK } from './exit.ts'
import { graphHelp } from './help.ts'
import type { Io } from './io.ts'
import { loadPipeline } from './load.ts'
import { readGraphOptions } from './options.ts'

/** Runs `sluice graph` with its arguments; gives the exit code. */
export async function graphCommand(argv: readonly string[], io: Io): Promise<number> {
  const { file, params, help } = readGraphOptions(argv)
  if (help || file === undefined) io.stdout.write(graphHelp())
  else io.stdout.write(mermaid(buildPipeline(await loadPipeline(file), params)))
  return OK
}
