// A module of `sluice serve` that cannot be loaded: shown as a failed pipeline, beside those that run.

import { SluiceError } from '../base/errors.ts'
import { NO_TOTALS } from '../connect/totals.ts'
import type { WatchedRun } from '../dashboard/watched.ts'
import { shown } from '../pipeline/recent-events.ts'
import type { RunSnapshot } from '../pipeline/snapshot.ts'

/** Figures of a pipeline without any run. */
export function nothingYet(
  pipeline: string,
  state: RunSnapshot['state'],
  atMs: number,
  startedMs: number,
): RunSnapshot {
  return {
    pipeline,
    source: '',
    sink: '',
    state,
    atMs,
    startedMs,
    threads: 0,
    layers: [],
    run: NO_TOTALS,
    overall: NO_TOTALS,
    read: 0,
    dead: 0,
    doneBytes: 0,
    epoch: 0,
    restarts: 0,
    notices: [],
    memoryBytes: process.memoryUsage.rss(),
  }
}

/**
 * @param why - why it cannot be loaded: that stays until the process is restarted
 */
export function broken(file: string, why: string, wallMs: () => number): WatchedRun {
  const startedMs = wallMs()
  return {
    pipeline: file,
    snapshot: () => ({ ...nothingYet(file, 'failed', wallMs(), startedMs), error: shown(why) }),
    pause: () => {},
    resume: () => {},
    drain: async () => {},
    async inspect() {
      const details = { key: file, value: undefined, allowed: 'a module that can be loaded' }
      throw new SluiceError('CONFIG_INVALID', `Cannot inspect ${file}: ${why}`, details)
    },
  }
}
