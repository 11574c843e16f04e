// Runs for tests of the dashboard: they are what a test says, and hear what is asked of them.

import { request as ask, type IncomingHttpHeaders } from 'node:http'
import type { SinkInspector, StoredDeadLetter } from '../../src/connect/sink.ts'
import type { WatchedRun } from '../../src/dashboard/watched.ts'
import type { RunSnapshot } from '../../src/pipeline/snapshot.ts'
import { snapshotOf } from '../../src/testing/snapshot-of.ts'

export interface FakeRun extends WatchedRun {
  /** What was asked of it, in order. */
  readonly asked: string[]
  /** What its snapshots have different. */
  is: Partial<RunSnapshot>
  /** How often a snapshot was made. */
  snapshots: number
}

export function fakeRun(is: Partial<RunSnapshot> = {}, letters: readonly StoredDeadLetter[] = []): FakeRun {
  const run: FakeRun = {
    pipeline: is.pipeline ?? 'orders',
    asked: [],
    is,
    snapshots: 0,
    snapshot: () => {
      run.snapshots += 1
      return snapshotOf(run.is)
    },
    pause: () => void run.asked.push('pause'),
    resume: () => void run.asked.push('resume'),
    drain: async (why) => run.asked.push(`drain: ${why}`),
    inspect: async () => inspectorOf(letters),
  }
  return run
}

function inspectorOf(letters: readonly StoredDeadLetter[]): SinkInspector {
  return {
    checkpoint: async () => undefined,
    deadLetters: async ({ limit, after }) => {
      const from =
        after === undefined ? 0 : letters.findIndex(({ origin }) => origin.offset === after.origin.offset) + 1
      return letters.slice(from, from + limit)
    },
    reset: async () => {},
    close: async () => {},
  }
}

export function letterOf(at: number, different: Partial<StoredDeadLetter> = {}): StoredDeadLetter {
  const origin = { source: 'orders.csv', line: at + 1, offset: at * 10, raw: `raw ${at}` }
  return { kind: 'dead', origin, step: 'priced', reason: 'no price', part: 0, epoch: 1, timeMs: 0, ...different }
}

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request, with headers that a browser's `fetch` would not let a page set. */
export function answerOf(url: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asking = ask(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    asking.on('error', reject)
    asking.end(body)
  })
}
