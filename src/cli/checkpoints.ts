// sluice checkpoints: shows where a pipeline stands, and lets it start over.

import { isSluiceError, SluiceError } from '../base/errors.ts'
import type { CheckpointSummary, SinkInspector } from '../connect/sink.ts'
import { escapeText, excerpt } from '../observe/escape.ts'
import { jsonLine } from '../observe/json.ts'
import { redact } from '../observe/redact.ts'
import { bytesText, countText, many } from '../observe/text.ts'
import { buildPipeline } from '../pipeline/build.ts'
import { inspectorOf } from '../pipeline/replay.ts'
import { OK } from './exit.ts'
import { checkpointsHelp } from './help-keeping.ts'
import type { Io } from './io.ts'
import { readCheckpointsOptions } from './keeping-options.ts'
import { loadOnlyPipeline } from './load.ts'
import { sumText } from './show/summary.ts'

/** Positions shown unless all are asked for. */
const SHOWN = 20
const LONGEST = 160

/** Runs `sluice checkpoints` with its arguments; gives the exit code. */
export async function checkpointsCommand(argv: readonly string[], io: Io): Promise<number> {
  const options = readCheckpointsOptions(argv)
  const { file, action, params, json, yes } = options
  if (options.help || file === undefined) {
    io.stdout.write(checkpointsHelp())
    return OK
  }
  const pipeline = await loadOnlyPipeline(file)
  const { sink } = buildPipeline(pipeline, params)
  const inspector = await inspectorOf(sink, pipeline.name)
  try {
    if (action === 'reset') {
      const { what, epoch } = await whatIsForgotten(inspector)
      if (!yes) {
        const message = `sluice checkpoints reset would forget ${what}; rows stay where they are, and the next run loads all again: say --yes to do it`
        throw new SluiceError('COMMAND_INVALID', message, { argument: 'reset' })
      }
      await inspector.reset({ deadLetters: options.deadLetters })
      io.stdout.write(
        json ? jsonLine({ pipeline: pipeline.name, reset: epoch }) : `${escapeText(pipeline.name)}: forgot ${what}\n`,
      )
    } else {
      const found = await inspector.checkpoint()
      io.stdout.write(json ? jsonOf(pipeline.name, found) : textOf(pipeline.name, found, action === 'show'))
    }
  } finally {
    await inspector.close()
  }
  return OK
}

/** What a reset takes away: in words, and the epoch, 0 where that is not known. */
async function whatIsForgotten(inspector: SinkInspector): Promise<{ readonly what: string; readonly epoch: number }> {
  try {
    const found = await inspector.checkpoint()
    if (found === undefined) return { what: 'nothing: there is no checkpoint', epoch: 0 }
    const { epoch, positions } = found
    return { what: `epoch ${epoch} and ${many(positions.size, 'position')}`, epoch }
  } catch (error) {
    // To start over is what it takes then.
    if (!isSluiceError(error, 'CHECKPOINT_INVALID')) throw error
    return { what: `a checkpoint that cannot be gone on from: ${error.details.found}`, epoch: 0 }
  }
}

function jsonOf(pipeline: string, found: CheckpointSummary | undefined): string {
  if (found === undefined) return jsonLine({ pipeline, epoch: 0 })
  const { positions, states, ...rest } = found
  return jsonLine({ pipeline, ...rest, positions: Object.fromEntries(positions), states: Object.fromEntries(states) })
}

function textOf(pipeline: string, found: CheckpointSummary | undefined, isWhole: boolean): string {
  if (found === undefined) return `${escapeText(pipeline)}: nothing was committed yet\n`
  const { totals, positions, states, committed, holder } = found
  const stateBytes = [...states.values()].reduce((sum, size) => sum + size, 0)
  const lines = [
    `${pipeline}: ${committed}`,
    `  ${sumText(totals)}`,
    `  ${holder === undefined ? 'nobody holds it' : `held by ${holder}`}`,
    `  ${many(positions.size, 'position')}`,
  ]
  const shown = [...positions].slice(0, isWhole ? positions.size : SHOWN)
  for (const [split, position] of shown)
    lines.push(`    ${excerpt(split, LONGEST)}  ${excerpt(JSON.stringify(position), LONGEST)}`)
  if (shown.length < positions.size) lines.push(`    and ${countText(positions.size - shown.length)} more: see show`)
  if (states.size > 0) {
    lines.push(`  ${countText(states.size)} parts of states, ${bytesText(stateBytes)}`)
    if (isWhole) for (const [part, size] of states) lines.push(`    ${excerpt(part, LONGEST)}  ${bytesText(size)}`)
  }
  return redact(`${lines.map(escapeText).join('\n')}\n`)
}
