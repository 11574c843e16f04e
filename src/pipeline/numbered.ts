// Sources that number their records: a run that starts over assigns the same numbers to other records.

import { SluiceError } from '../base/errors.ts'
import { branchPipeline } from '../connect/fan-out/branches/record.ts'
import type { Source } from '../connect/source.ts'
import { sourcesOf } from './guarantee.ts'
import type { PipelineParts } from './pipeline.ts'

/**
 * Why a pipeline cannot start over while it has dead letters: new records would get their places, and new dead letters
 * replace them. Undefined if it can.
 *
 * @param name - the pipeline's
 */
export async function takenPlaces(parts: PipelineParts, name: string): Promise<string | undefined> {
  const source = sourcesOf(parts).find(isNumbered)
  if (source === undefined || !(await hasLetters(parts, name))) return undefined
  return `dead letters are kept, and ${source.title} would give their places to other records`
}

/**
 * @throws {SluiceError} CHECKPOINT_INVALID for a pipeline that has lost its checkpoint, but not its dead letters
 */
export async function refuseTakenPlaces(parts: PipelineParts, name: string): Promise<void> {
  const found = await takenPlaces(parts, name)
  if (found === undefined) return
  const message = `Cannot start ${name} without a checkpoint: ${found} (export them, then: sluice checkpoints FILE reset --yes --dead-letters)`
  throw new SluiceError('CHECKPOINT_INVALID', message, { pipeline: name, found })
}

function isNumbered({ isUnbounded, isCounted }: Partial<Source<unknown>>): boolean {
  return isUnbounded === true || isCounted === true
}

async function hasLetters({ sink }: PipelineParts, name: string): Promise<boolean> {
  const branches = [...(sink.branches ?? [])].map(([branch, into]) => [branchPipeline(name, branch), into] as const)
  for (const [kept, into] of [[name, sink] as const, ...branches]) {
    const inspector = await into.inspect?.(kept)
    const letters = await inspector?.deadLetters({ limit: 1 }).finally(() => inspector.close())
    if (letters?.length === 1) return true
  }
  return false
}
