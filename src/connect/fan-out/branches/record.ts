// What the checkpoint of the first sink holds about the others: which files wait for which.

import { messageOf } from '../../../base/errors.ts'
import { checkpointInvalid } from '../../kits/store/stored-checkpoint.ts'
import type { Checkpoint } from '../../sink.ts'
import type { SpoolFile } from './spool.ts'

/** The part of the checkpoint that holds it; nobody but this sink sees it. */
export const RECORD = 'sink:several'

/** The part of a branch's own checkpoint: the lineage of the pipeline that it follows. */
export const LINEAGE = 'several'

const VERSION = 1

/** The name under which a branch's checkpoint and dead letters are stored. */
export function branchPipeline(pipeline: string, branch: string): string {
  return `${pipeline}.${branch}`
}

/** What is known of one branch. */
export interface BranchRecord {
  /** The last file that was committed for it; 0 before the first. */
  readonly seq: number
  /** Those that it may not have taken yet. */
  readonly files: readonly SpoolFile[]
}

export interface FanOutRecord {
  /** Created with the first commit, and stored by each branch: shows that a branch has followed this very pipeline. */
  readonly lineage: string
  readonly branches: Readonly<Record<string, BranchRecord>>
}

export function recordBytes(record: FanOutRecord): Uint8Array {
  return Buffer.from(JSON.stringify({ version: VERSION, ...record }))
}

/**
 * @throws {SluiceError} CHECKPOINT_INVALID if this version cannot read it
 */
export function readRecord(pipeline: string, bytes: Uint8Array): FanOutRecord {
  try {
    const { version, lineage, branches } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>
    if (version !== VERSION) throw new Error(`it has version ${version}, this Sluice reads ${VERSION}`)
    if (typeof lineage !== 'string' || typeof branches !== 'object' || branches === null) {
      throw new Error('it has no branches')
    }
    return { lineage, branches: branches as FanOutRecord['branches'] }
  } catch (error) {
    throw branchesInvalid(pipeline, `its record of branches cannot be read: ${messageOf(error)}`, error)
  }
}

/** The error for branches that do not fit the checkpoint. */
export function branchesInvalid(pipeline: string, found: string, cause?: unknown): Error {
  const hint = 'sluice checkpoints FILE reset makes all of its sinks start over'
  return checkpointInvalid(pipeline, found, hint, cause)
}

/** @throws {SluiceError} CHECKPOINT_INVALID if a branch has followed another pipeline, or this one before it was reset */
export function checkLineage(
  pipeline: string,
  branch: string,
  checkpoint: Checkpoint | undefined,
  lineage: string,
): void {
  if (checkpoint === undefined || Buffer.from(checkpoint.states.get(LINEAGE) ?? []).toString() === lineage) return
  throw branchesInvalid(pipeline, `branch ${branch} has followed another pipeline, or one that was reset`)
}
