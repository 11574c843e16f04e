// Events that were not passed on, counted for one run.

import { inspect } from 'node:util'
import { escapeText } from '../observe/escape.ts'
import { durationText, many } from '../observe/text.ts'

/** A rejected event, for `onDead`. */
export interface Refused {
  readonly operator: string
  readonly value: unknown
  readonly reason: string
}

/** The call of a user function that threw. */
export interface FailedCall {
  readonly operator: string
  /** The event it was given, abbreviated. */
  readonly event: string | undefined
}

export interface RejectionLogOptions {
  readonly onDead?: ((refused: Refused) => void) | undefined
  readonly onLate?: ((operator: string, value: unknown) => void) | undefined
  /** Notices for people during the run: process warnings by default. */
  readonly onNote?: ((note: string) => void) | undefined
}

/** Counts late events, rejected events, and events dated too far ahead, by operator. */
export class RejectionLog {
  readonly #options: RejectionLogOptions
  /** Operator → events. */
  readonly lateOf: Map<string, number> = new Map()
  readonly deadOf: Map<string, number> = new Map()
  readonly aheadOf: Map<string, number> = new Map()
  /** The first rejected event: for the warning about all of them. */
  first: Refused | undefined
  failedCall: FailedCall | undefined
  /** The error of reading a source. */
  readError: unknown

  constructor(options: RejectionLogOptions = {}) {
    this.#options = options
  }

  /** Whether single events are reported. */
  get tellsLate(): boolean {
    return this.#options.onLate !== undefined
  }

  get tellsDead(): boolean {
    return this.#options.onDead !== undefined
  }

  late(operator: string, value: unknown): void {
    this.lateOf.set(operator, (this.lateOf.get(operator) ?? 0) + 1)
    this.#options.onLate?.(operator, value)
  }

  dead(operator: string, value: unknown, reason: string): void {
    const refused = { operator, value, reason }
    this.first ??= refused
    this.deadOf.set(operator, (this.deadOf.get(operator) ?? 0) + 1)
    this.#options.onDead?.(refused)
  }

  /**
   * An event is dated too far ahead: reported at once, as windows wait for it, and again each time there are ten times
   * as many.
   */
  ahead(operator: string, timeMs: number, limitMs: number): void {
    const events = (this.aheadOf.get(operator) ?? 0) + 1
    this.aheadOf.set(operator, events)
    if (!/^10*$/.test(String(events))) return
    const when = `more than ${durationText(limitMs)} (futureLimit) ahead of the clock, the last at ${new Date(timeMs).toISOString()}`
    const advice = 'windows of such times wait for other events, or the end: raise futureLimit if such times are valid'
    this.noted(`${operator}: found ${many(events, 'event')} dated ${when}; ${advice}`)
  }

  noted(note: string): void {
    const { onNote = (text: string) => process.emitWarning(text) } = this.#options
    onNote(note)
  }

  /** Adds what was counted elsewhere. */
  add(late: ReadonlyMap<string, number>, dead: ReadonlyMap<string, number>, ahead: ReadonlyMap<string, number>): void {
    addCounts(this.lateOf, late)
    addCounts(this.deadOf, dead)
    addCounts(this.aheadOf, ahead)
  }

  /** The first function that threw: later errors may be its consequence. */
  recordFailure(operator: string, event: readonly [value: unknown] | undefined): void {
    this.failedCall ??= { operator, event: event === undefined ? undefined : shorten(event[0]) }
  }

  get tooLate(): number {
    return total(this.lateOf)
  }

  get tooFarAhead(): number {
    return total(this.aheadOf)
  }

  get refused(): number {
    return total(this.deadOf)
  }

  /** Single events were not reported: a warning at the end says that there were some. */
  warn(): void {
    const { onDead, onLate } = this.#options
    if (this.first !== undefined && onDead === undefined) {
      const { operator, value, reason } = this.first
      const others = this.refused === 1 ? '' : ` (and ${this.refused - 1} more)`
      process.emitWarning(`${operator} rejected ${shorten(value)}: ${reason}${others}; use onDead to see each`)
    }
    if (this.tooLate > 0 && onLate === undefined) {
      const where = [...this.lateOf].map(([operator, events]) => `${events} in ${operator}`).join(', ')
      process.emitWarning(`Events came too late for their windows: ${where}; use onLate to see each`)
    }
  }
}

function addCounts(into: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [operator, events] of counts) into.set(operator, (into.get(operator) ?? 0) + events)
}

function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0
  for (const events of counts.values()) sum += events
  return sum
}

/** Longest value shown in a warning. */
const LONGEST = 80

function shorten(value: unknown): string {
  const text = escapeText(inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY }))
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
