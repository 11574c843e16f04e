// sluice explain: how a pipeline or a flow would run, in words.

import { explain } from '../engine/explain.ts'
import { operatorText } from '../flow/name.ts'
import { nodesOf } from '../flow/plan.ts'
import { escapeText } from '../observe/escape.ts'
import { redact } from '../observe/redact.ts'
import { buildPipeline } from '../pipeline/build.ts'
import { promisedBy, promiseText, refusalOf } from '../pipeline/guarantee.ts'
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
    const parts = buildPipeline(loaded.pipeline, params)
    const { source, node, sink } = parts
    const steps = nodesOf(node).flatMap(({ operator }) =>
      operator.kind === 'input' ? [] : [`  ${operatorText(operator)}`],
    )
    const branches = [...(sink.branches ?? [])].map(
      ([name, into]) => `  branch ${name} into ${into.title}: ${promiseText(promisedBy(parts, into))}`,
    )
    const into = `into ${sink.title}: ${promiseText(promisedBy(parts))}`
    const end = refusalOf(parts, loaded.pipeline.name) ?? 'runs in one thread'
    const lines = [`from ${source.title}`, ...steps, into, ...branches, end]
    io.stdout.write(lines.map((line) => `${escapeText(redact(line))}\n`).join(''))
  }
  return OK
}
