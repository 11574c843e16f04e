// A run as log lines, for log collectors: as many as there are epochs, never as many as there are records.

import { isSluiceError, messageOf } from '../base/errors.ts'
import type { DeadLetter } from '../connect/origin.ts'
import type { Totals } from '../connect/sink.ts'
import { NO_TOTALS, subtractTotals } from '../connect/totals.ts'
import type { LogFields, Logger } from '../observe/log.ts'
import { many } from '../observe/text.ts'
import { equation } from './figures.ts'
import { shown } from './recent-events.ts'
import type { RunEvent, RunReport } from './report.ts'

/** How many dead letters of an epoch are logged in detail. */
const TOLD_LETTERS = 20

/**
 * Logs what happens in a run.
 *
 * - `debug`: a split was opened.
 * - `info`: it started, committed an epoch, was paused, resumed or drained, or ended.
 * - `warn`: dead letters of an epoch, where they come from and why; a failure that is retried.
 * - `error`: it failed.
 *
 * Dead letters are logged with place, step and reason, never with their raw form; credentials are removed from all
 * texts.
 */
export class RunLog {
  readonly #log: Logger
  /** The first dead letters since the last commit, and how many there are. */
  #letters: LogFields[] = []
  #dead = 0
  /** What was committed at the last look. */
  #totals: Totals = NO_TOTALS

  constructor(log: Logger, pipeline: string) {
    this.#log = log.child({ pipeline })
  }

  /** Over all runs, so far: an epoch is logged by what it added. */
  begin(committed: Totals): void {
    this.#totals = committed
  }

  onEvent(event: RunEvent): void {
    switch (event.kind) {
      case 'started': {
        const { resumedEpoch } = event
        const [source, sink] = [shown(event.source), shown(event.sink)]
        return this.#log.info({ event: 'started', source, sink, resumedEpoch }, `loading ${source} into ${sink}`)
      }
      case 'split-opened': {
        const { resumedBytes, sizeBytes } = event
        const note = event.note === undefined ? undefined : shown(event.note)
        const split = shown(event.split)
        return this.#log.debug({ event: 'split-opened', split, resumedBytes, sizeBytes, note }, `reading ${split}`)
      }
      case 'noted':
        return this.#log.info({ event: 'noted', split: shown(event.split) }, shown(event.note))
      case 'committed':
        return this.#committed(event)
      case 'dead-letter':
        this.#dead += 1
        if (this.#letters.length < TOLD_LETTERS) this.#letters.push(lineageOf(event.letter))
        return
      case 'retrying': {
        // What was not committed is read again, and rejected again.
        this.#forget()
        const { error, attempt, waitMs, why } = event
        return this.#log.warn({ event: 'retrying', code: codeOf(error), attempt, waitMs }, shown(why))
      }
      case 'draining':
        return this.#log.info({ event: 'draining' }, `stopping: ${shown(event.why)}`)
      case 'paused':
        return this.#log.info({ event: 'paused' }, 'paused: reading is stopped')
      case 'resumed':
        return this.#log.info({ event: 'resumed' }, 'resumed: reading continues')
    }
  }

  ended({ outcome, run, epoch, elapsedMs }: RunReport): void {
    this.#log.info(
      { event: 'ended', outcome, epoch, elapsedMs, ...run },
      `${outcome} after ${many(run.read, 'record')}: ${equation(run)}`,
    )
  }

  failed(error: unknown): void {
    this.#log.error({ event: 'failed', code: codeOf(error) }, `failed: ${shown(messageOf(error))}`)
  }

  #committed({ epoch, totals, tookMs }: Extract<RunEvent, { kind: 'committed' }>): void {
    const became = subtractTotals(totals, this.#totals)
    this.#totals = totals
    if (this.#dead > 0) {
      const fields = { event: 'dead-letters', epoch, count: this.#dead, letters: this.#letters }
      this.#log.warn(fields, `epoch ${epoch} has ${many(this.#dead, 'dead letter')}`)
    }
    this.#forget()
    this.#log.info({ event: 'committed', epoch, ...became, tookMs }, `committed epoch ${epoch}`)
  }

  #forget(): void {
    this.#letters = []
    this.#dead = 0
  }
}

/** Where a dead letter comes from: enough to find it where it is stored. */
function lineageOf({ origin, step, reason }: DeadLetter): LogFields {
  const { source, line, offset } = origin
  return { source: shown(source), ...(line > 0 ? { line } : {}), offset, step: shown(step), reason: shown(reason) }
}

function codeOf(error: unknown): string | undefined {
  return isSluiceError(error) ? error.code : undefined
}
