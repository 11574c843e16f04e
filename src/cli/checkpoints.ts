// sluice checkpoints: shows where a pipeline stands, makes it start over, and takes it from a run that holds it.

import { isSluiceError, SluiceError } from '../base/errors.ts'
import { branchPipeline } from '../connect/fan-out/branches/record.ts'
import type { CheckpointSummary, ShardSummary, SinkInspector } from '../connect/sink.ts'
import { escapeText, excerpt } from '../observe/escape.ts'
import { jsonLine } from '../observe/json.ts'
import { redact } from '../observe/redact.ts'
import { bytesText, countText, durationText, many } from '../observe/text.ts'
import { buildPipeline } from '../pipeline/build.ts'
import { equation } from '../pipeline/figures.ts'
import { takenPlaces } from '../pipeline/numbered.ts'
import type { PipelineParts } from '../pipeline/pipeline.ts'
import { inspectorOf } from '../pipeline/replay.ts'
import type { CheckpointsOptions } from './admin-options.ts'
import { OK } from './exit.ts'
import type { Io } from './io.ts'
import { loadOnlyPipeline } from './load.ts'
import { commandInvalid } from './options.ts'
import { heldText, MISSING } from './show/shards.ts'

/** Positions shown unless all are requested. */
const SHOWN = 20
const LONGEST = 160

/** Runs `sluice checkpoints` with its arguments; returns the exit code. */
export async function checkpoints(
  options: CheckpointsOptions & { readonly file: string },
  { stdout }: Io,
): Promise<number> {
  const { file, action, params, json, yes, branch } = options
  const pipeline = await loadOnlyPipeline(file)
  const parts = buildPipeline(pipeline, params)
  const name = branch === undefined ? pipeline.name : branchPipeline(pipeline.name, branch)
  const inspector = await inspectorOf(parts.sink, pipeline.name, branch)
  try {
    if (action === 'reset') {
      const { epoch, what } = await forgotten(inspector)
      if (!yes) {
        const message = `sluice checkpoints reset would delete ${what}; rows stay where they are, and the next run loads everything again: add --yes to do it`
        throw commandInvalid('reset', message)
      }
      if (!options.deadLetters) await checkDeadLetters(parts, pipeline.name)
      await inspector.reset({ deadLetters: options.deadLetters })
      stdout.write(json ? jsonLine({ pipeline: name, reset: epoch }) : `${escapeText(name)}: forgot ${what}\n`)
      return OK
    }
    if (action === 'break-lease') {
      stdout.write(await brokenLease(inspector, name, options))
      return OK
    }
    const found = await inspector.checkpoint()
    stdout.write(json ? jsonOf(name, found) : textOf(name, found, action === 'show'))
  } finally {
    await inspector.close()
  }
  return OK
}

/** Takes the pipeline from its holder; returns what to print. */
async function brokenLease(inspector: SinkInspector, name: string, { yes, json }: CheckpointsOptions): Promise<string> {
  const held = await inspector.lease?.()
  if (held === undefined) {
    return json ? jsonLine({ pipeline: name, broken: null }) : `${escapeText(name)}: no run holds it\n`
  }
  const { token, holder, silentMs } = held
  const heard = `last heard from ${durationText(silentMs)} ago`
  if (!yes) {
    const message = `sluice checkpoints break-lease would take ${name} from ${holder}, ${heard}: that run can commit nothing more, even if it is alive, and the next one starts after its last commit; end it instead if you can, or add --yes to do it`
    throw commandInvalid('break-lease', message)
  }
  if ((await inspector.breakLease?.(token)) !== true) {
    const message = `Cannot break the lease on ${name}: it has changed hands meanwhile; check again`
    throw new SluiceError('PIPELINE_HELD', message, { pipeline: name, by: holder })
  }
  if (json) return jsonLine({ pipeline: name, broken: holder })
  return `${escapeText(`${name}: taken from ${holder}, ${heard}: it can commit nothing more, and the next run can start`)}\n`
}

/** Dead letters that are kept must not lose their places to others. */
async function checkDeadLetters(parts: PipelineParts, name: string): Promise<void> {
  const found = await takenPlaces(parts, name)
  if (found === undefined) return
  const message = `Cannot reset with sluice checkpoints: ${found}; export them, then add --dead-letters to delete them`
  throw commandInvalid('reset', message)
}

/** What a reset would delete. A checkpoint that cannot be read is a reason to reset. */
async function forgotten(inspector: SinkInspector): Promise<{ readonly epoch: number | null; readonly what: string }> {
  try {
    const found = await inspector.checkpoint()
    if (found === undefined) return { epoch: 0, what: 'nothing: there is no checkpoint' }
    return { epoch: found.epoch, what: `epoch ${found.epoch} and ${many(found.positions.size, 'position')}` }
  } catch (error) {
    if (!isSluiceError(error, 'CHECKPOINT_INVALID')) throw error
    return { epoch: null, what: `a checkpoint that cannot be read: ${excerpt(error.details.found, LONGEST)}` }
  }
}

function jsonOf(pipeline: string, found: CheckpointSummary | undefined): string {
  if (found === undefined) return jsonLine({ pipeline, epoch: 0 })
  const { positions, states, ...rest } = found
  return jsonLine({ pipeline, ...rest, positions: Object.fromEntries(positions), states: Object.fromEntries(states) })
}

function shardLine({ shard, committed, totals, holder, isMissing }: ShardSummary): string {
  if (isMissing) return `  shard ${shard}: ${MISSING}`
  const done = committed === undefined ? 'nothing has been committed yet' : `${committed}, ${equation(totals)}`
  return `  shard ${shard}: ${done}; ${heldText(holder)}`
}

function textOf(pipeline: string, found: CheckpointSummary | undefined, isWhole: boolean): string {
  if (found === undefined) return `${escapeText(pipeline)}: nothing has been committed yet\n`
  const { totals, positions, states, committed, holder } = found
  const stateBytes = [...states.values()].reduce((sum, size) => sum + size, 0)
  const lines = [
    `${pipeline}: ${committed}`,
    `  ${equation(totals)}`,
    ...(found.shards?.map(shardLine) ?? [`  ${heldText(holder)}`]),
    `  ${many(positions.size, 'position')}`,
  ]
  const shown = [...positions].slice(0, isWhole ? positions.size : SHOWN)
  for (const [split, position] of shown)
    lines.push(`    ${excerpt(split, LONGEST)}  ${excerpt(JSON.stringify(position), LONGEST)}`)
  if (shown.length < positions.size) lines.push(`    and ${countText(positions.size - shown.length)} more: see show`)
  if (states.size > 0) {
    lines.push(`  ${countText(states.size)} parts of state, ${bytesText(stateBytes)}`)
    if (isWhole) for (const [part, size] of states) lines.push(`    ${excerpt(part, LONGEST)}  ${bytesText(size)}`)
  }
  return redact(`${lines.map(escapeText).join('\n')}\n`)
}
