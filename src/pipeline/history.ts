// What a long run did, in a line now and then: for a person who reads it the next morning.

import { countText, durationText } from '../observe/text.ts'
import { TopCounter } from '../observe/top.ts'
import { shown } from './recent-events.ts'
import type { Progress, RunEvent } from './report.ts'

/** Between two lines, in clock milliseconds. */
export const HISTORY_MS: number = 10 * 60_000
/** Reasons that are told apart, and those that a line names. */
const KNOWN_REASONS = 200
const TOLD_REASONS = 3

/** What a line tells, for machines. */
export interface HistoryFigures {
  readonly forMs: number
  readonly read: number
  readonly loaded: number
  readonly dead: number
  readonly perSecond: number
  readonly totalRead: number
  readonly elapsedMs: number
}

/** Counts what happens between two lines. Time is a parameter. */
export class RunHistory {
  /** Of the whole run, and since the last line. */
  readonly #all = new TopCounter({ size: KNOWN_REASONS })
  #reasons = new TopCounter({ size: KNOWN_REASONS })
  #before: Progress | undefined

  onEvent(event: RunEvent): void {
    if (event.kind !== 'dead-letter') return
    const { step, reason } = event.letter
    const text = shown(`${step}: ${withoutValues(reason)}`)
    this.#all.add(text)
    this.#reasons.add(text)
  }

  /** Why records of the run were rejected, the most common reasons first. */
  get reasons(): readonly (readonly [reason: string, count: number])[] {
    return this.#all.top(TOLD_REASONS).values
  }

  /** What has happened since the last line, once it is long enough ago; undefined before. The first look begins. */
  look(progress: Progress): { readonly text: string; readonly figures: HistoryFigures } | undefined {
    this.#before ??= progress
    const before = this.#before
    const forMs = progress.elapsedMs - before.elapsedMs
    if (forMs < HISTORY_MS) return undefined
    this.#before = progress
    const { values } = this.#reasons.top(TOLD_REASONS)
    this.#reasons = new TopCounter({ size: KNOWN_REASONS })
    const figures = {
      forMs,
      read: progress.read - before.read,
      loaded: progress.committed.loaded - before.committed.loaded,
      dead: progress.dead - before.dead,
      perSecond: Math.round(((progress.read - before.read) * 1000) / forMs),
      totalRead: progress.read,
      elapsedMs: progress.elapsedMs,
    }
    return { text: textOf(figures, values), figures }
  }
}

/**
 * A reason without the values of one record: what is rejected for the same is counted together. What stands ahead of
 * `found` names a rule or a column.
 */
function withoutValues(reason: string): string {
  const [rule, ...values] = reason.split(/\bfound (?=["'\w{[-])/)
  return values.length > 0 ? `${rule}found …` : reason.replace(/"[^"]{0,500}"|'[^']{0,500}'/g, '…')
}

function textOf(
  { forMs, read, loaded, dead, perSecond, totalRead, elapsedMs }: HistoryFigures,
  reasons: readonly (readonly [string, number])[],
): string {
  const why = reasons.map(([reason, count]) => `${countText(count)} ${reason}`).join('; ')
  const rejected = `${countText(dead)} rejected${why === '' ? '' : ` (${why})`}`
  const came = `${countText(read)} read, ${countText(loaded)} loaded, ${rejected}, ${countText(perSecond)} a second`
  return `last ${durationText(forMs)}: ${came}; ${countText(totalRead)} read in ${durationText(elapsedMs)}`
}
