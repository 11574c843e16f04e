// How far a load in another process has come, by what it leaves on disk: for faults that belong into the middle of one.

import type { ChildProcess } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { until } from './until.ts'

/** Resolves once a load holds its pipeline, as a SQLite store says, or has ended. */
export async function untilHeld(store: string, child: ChildProcess): Promise<void> {
  const isHeld = () => valueIn(store, 'select pid as value from sluice_leases') === child.pid
  await until(() => isHeld() || hasEnded(child), `a lease in ${store}`)
}

/** Resolves once a load has committed to a SQLite store, or has ended. */
export async function untilCommitted(store: string, child: ChildProcess): Promise<void> {
  const isCommitted = () => valueIn(store, 'select 1 as value from sluice_checkpoints') !== undefined
  await until(() => isCommitted() || hasEnded(child), `a commit to ${store}`)
}

/** Resolves once no lease in a SQLite store keeps others out any more: the same clock decides on that. */
export async function untilLeaseEnds(store: string, leaseMs: number): Promise<void> {
  const renewedMs = () => Number(valueIn(store, 'select max(renewed) as value from sluice_leases') ?? 0)
  await until(() => Date.now() - renewedMs() > leaseMs, `the end of the lease in ${store}`)
}

/** The first `value` of a query of a SQLite store; undefined while there is no row. */
export function valueIn(store: string, sql: string): unknown {
  try {
    const database = new DatabaseSync(store, { readOnly: true, timeout: 1000 })
    try {
      return database.prepare(sql).get()?.value
    } finally {
      database.close()
    }
  } catch {
    // Nobody has been there yet.
    return undefined
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
