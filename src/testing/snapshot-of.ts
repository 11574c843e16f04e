// A snapshot for tests of its viewers: a run at work, with the changes that a test wants.

import { NO_TOTALS } from '../connect/totals.ts'
import type { RunSnapshot } from '../pipeline/snapshot.ts'

const RUN = { ...NO_TOTALS, read: 100, loaded: 90, dead: 4, filtered: 5, blank: 1 }
const STARTED_MS = 1_700_000_000_000

export function snapshotOf(different: Partial<RunSnapshot>): RunSnapshot {
  return {
    pipeline: 'orders',
    source: 'orders.csv',
    sink: 'rows',
    state: 'running',
    atMs: STARTED_MS + 5000,
    startedMs: STARTED_MS,
    threads: 0,
    layers: [
      {
        number: 1,
        kind: 'source',
        title: 'orders.csv, priced',
        inputs: [],
        stages: [
          {
            stage: 0,
            received: 120,
            emitted: 110,
            filtered: 5,
            derived: 0,
            demand: 400,
            buffered: 0,
            busyMs: 1500,
            watermarkMs: STARTED_MS,
          },
        ],
        dead: 4,
        busyShare: 0.9,
      },
      {
        number: 2,
        kind: 'load',
        title: 'rows',
        inputs: [{ from: 1, exchange: 'forward' }],
        stages: [
          { stage: 0, received: 110, emitted: 100, filtered: 0, derived: 0, demand: 0, buffered: 10, busyMs: 200 },
        ],
        dead: 0,
        busyShare: 0.1,
      },
    ],
    bottleneck: 1,
    run: RUN,
    overall: { ...RUN, read: 1100, loaded: 1090 },
    read: 120,
    dead: 4,
    doneBytes: 5000,
    totalBytes: 10_000,
    epoch: 7,
    committedMs: STARTED_MS + 4000,
    commitTookMs: 12,
    restarts: 1,
    notices: [{ atMs: STARTED_MS, kind: 'started', text: 'loading orders.csv into rows' }],
    memoryBytes: 100_000_000,
    ...different,
  }
}
