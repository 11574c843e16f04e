// sluice explain: how a pipeline or a flow would run, in words.

import { explain } from '../engine/explain.ts'
import { nodesOf } from '../flow/plan.ts'
import { escapeText } from '../observe/escape.ts'
import { redact } from '../observe/redact.ts'
import { buildPipeline } from '../pipeline/build.ts'
import { OK } from './exit.ts'
import { explainHelp } from './help.ts'
import type { Io } from './io.ts'
import { load } from './load.ts'
import { readExplainOptions, refuseParams } from './options.ts'

/** Runs `sluice explain` with its arguments; gives the exit code. */
export async function explainCommand(argv: readonly string[], io: Io): Promise<number> {
  const { file, params, threads, help } = readExplainOptions(argv)
  if (help || file === undefined) {
    io.stdout.write(explainHelp())
    return OK
  }
  const loaded = await load(file)
  if (loaded.kind === 'flow') {
    refuseParams(file, params)
    io.stdout.write(await explain(loaded.module, threads === undefined ? {} : { threads }))
  } else {
    const { source, node, sink } = buildPipeline(loaded.pipeline, params)
    const operators = nodesOf(node).map(({ operator }) => operator)
    const steps = operators
      .filter(({ kind }) => kind !== 'input')
      .map(({ kind, name }) => `  ${name.startsWith(kind) ? name : `${kind} ${name}`}`)
    const lines = [`from ${source.title}`, ...steps, `into ${sink.title}: ${sink.guarantee}`, 'runs in one thread']
    io.stdout.write(lines.map((line) => `${escapeText(redact(line))}\n`).join(''))
  }
  return OK
}
