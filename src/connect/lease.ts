// Who holds a pipeline: a lease with a fencing number, kept where the checkpoint is.

import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { errnoOf, SluiceError } from '../base/errors.ts'
import { shardText, WHOLE } from './shard.ts'

/** How long a lease holds without renewal, by default. */
export const LEASE_MS = 15_000

/** A lease as it is stored. Times are epoch milliseconds by the store's clock, or that of the writer. */
export interface Lease {
  /** Counts up by one whenever the lease changes hands: a holder with an older number is fenced. */
  readonly token: number
  /** The process that holds it; 0 once it was released. */
  readonly pid: number
  readonly host: string
  /** One run: each of several in one process has its own, and keeps it when it opens its sink again. */
  readonly owner: string
  readonly sinceMs: number
  readonly renewedMs: number
}

/** Who is asking, how long a lease holds, and the current time. */
export interface Claim {
  readonly owner: string
  readonly leaseMs: number
  readonly nowMs: number
}

/** Tells this process from an earlier one with the same number, such as the first one in a container. */
const BORN = String(Math.round(performance.timeOrigin))

/** A name for one run. */
export function newOwner(): string {
  return `${BORN}.${randomUUID()}`
}

/**
 * Whether a lease that was found keeps others out.
 *
 * It does not once it was released, once it has not been renewed for `leaseMs`, or if its process was on this machine
 * and is gone; nor does it keep out its own holder.
 */
export function isHeld(lease: Lease, claim: Claim, isAlive: (pid: number) => boolean = runs): boolean {
  if (lease.pid === 0 || lease.owner === claim.owner) return false
  if (claim.nowMs - lease.renewedMs > claim.leaseMs) return false
  if (lease.host !== hostname()) return true
  return lease.pid === process.pid ? lease.owner.startsWith(`${BORN}.`) : isAlive(lease.pid)
}

/** The lease of a run that takes over from `found`. */
export function nextLease(found: Lease | undefined, { owner, nowMs }: Claim): Lease {
  const token = (found?.token ?? 0) + 1
  return { token, pid: process.pid, host: hostname(), owner, sinceMs: nowMs, renewedMs: nowMs }
}

/** Who holds a lease, for people: `process 812 on web1, since 2026-03-02T10:00:00.000Z`. */
export function holderOf({ pid, host, sinceMs }: Lease): string {
  return pid === 0 ? 'nobody' : `process ${pid} on ${host}, since ${new Date(sinceMs).toISOString()}`
}

/** A lease held by a run, for people. */
export interface HeldLease {
  /** Counts up whenever the lease changes hands. */
  readonly token: number
  /** `process 812 on web1, since 2026-03-02T10:00:00.000Z` */
  readonly holder: string
  /** How long ago it was last renewed, in milliseconds. */
  readonly silentMs: number
}

/** The error for a pipeline that another instance holds. */
export function pipelineHeld(
  pipeline: string,
  lease: Lease,
  shard: string = shardText(WHOLE),
): SluiceError<'PIPELINE_HELD'> {
  const by = holderOf(lease)
  const what = shard === shardText(WHOLE) ? pipeline : `${pipeline} as shard ${shard}`
  return new SluiceError('PIPELINE_HELD', `Cannot start ${what}: it is held by ${by}`, { pipeline, by })
}

/** The error for an instance that was fenced by another one. */
export function fenced(pipeline: string, act: string, lease: Lease | undefined): SluiceError<'PIPELINE_HELD'> {
  const by = lease === undefined ? 'nobody: its lease is gone' : holderOf(lease)
  const message = `Cannot ${act} ${pipeline}: this instance was fenced off, the pipeline is held by ${by}`
  return new SluiceError('PIPELINE_HELD', message, { pipeline, by })
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It runs, and belongs to someone else.
    return errnoOf(error) === 'EPERM'
  }
}
