// The recent events of a run, and the sums of others: for later readers.

import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { excerpt } from '../observe/escape.ts'
import { redact } from '../observe/redact.ts'
import { durationText, many } from '../observe/text.ts'
import type { RunEvent, RunReport } from './report.ts'
import type { RunNotice } from './snapshot.ts'

/** How many are kept, and how long their texts may be. */
const MOST_KEPT = 100
const LONGEST = 300

/** Receives the events of a run; keeps the last hundred notices, and nothing per record. */
export class RecentEvents {
  readonly #clock: Clock
  readonly #last: RunNotice[] = []
  /** Attempts that followed a failure. */
  restarts = 0
  /** When the last commit was, in epoch milliseconds, and how long it took. */
  committedMs: number | undefined
  commitTookMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Oldest first. */
  get last(): readonly RunNotice[] {
    return [...this.#last]
  }

  onEvent(event: RunEvent): void {
    switch (event.kind) {
      case 'committed':
        this.committedMs = this.#clock.wallMs()
        this.commitTookMs = event.tookMs
        return
      case 'started':
        return this.#add('started', startText(event))
      case 'noted':
        return this.#add('noted', event.note)
      case 'retrying':
        this.restarts += 1
        return this.#add('retrying', event.why)
      case 'draining':
        return this.#add('draining', event.why)
      case 'paused':
        return this.#add('paused', 'reading is paused')
      case 'resumed':
        return this.#add('resumed', 'reading continues')
      case 'dead-letter':
      case 'split-opened':
        return // As many as there are records, or files: counted elsewhere.
    }
  }

  ended({ outcome, run, elapsedMs }: RunReport): void {
    this.#add('ended', `${outcome} after ${many(run.read, 'record')}, in ${durationText(elapsedMs)}`)
  }

  failed(error: unknown): void {
    this.#add('failed', messageOf(error))
  }

  #add(kind: RunNotice['kind'], text: string): void {
    this.#last.push({ atMs: this.#clock.wallMs(), kind, text: shown(text) })
    if (this.#last.length > MOST_KEPT) this.#last.shift()
  }
}

/** One line of an arbitrary text. */
export function shown(text: string): string {
  return excerpt(redact(text), LONGEST)
}

function startText({ source, sink, resumedEpoch }: Extract<RunEvent, { kind: 'started' }>): string {
  return `loading ${source} into ${sink}${resumedEpoch === undefined ? '' : `, continuing after epoch ${resumedEpoch}`}`
}
