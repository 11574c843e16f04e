// The contract of an operator at work: batches come in, what becomes of them goes to the next one.

import type { Key } from '../base/hash.ts'
import { type Batch, batchOf } from '../connect/batch.ts'

/** Takes events, and marks in line with them. */
export interface Port {
  /** One event or more. */
  events(batch: Batch): void
  /** No event earlier than `time` follows. */
  watermark(time: number): void
}

/**
 * An operator at work in one stage. It hands what it makes to the port behind it, in causal order, before its call
 * returns; only `Putting off` steps keep some of it for `resume`.
 */
export interface Step extends Port {
  /** An input of the stage has ended: it holds no watermark back any more. */
  inputEnded?(input: number): void
  /** All inputs have completed: what is held goes out. Not called on cancellation or failure. */
  end?(): void
  /** When it wants `tick`, as the clock counts; undefined if it does not. */
  readonly nextTickMs?: number | undefined
  /** The clock has come to `nowMs`. */
  tick?(nowMs: number): void
  /** A mark from outside that windows may wait for. */
  mark?(name: string): void
  /** Whether it has put work off: what is given to it meanwhile waits behind that. */
  readonly isSuspended?: boolean
  /** What its put-off work waits for; undefined if it can go on as soon as somebody wants more. Never rejects. */
  readonly waitsFor?: Promise<unknown> | undefined
  /** Goes on with a bounded piece of what it has put off. */
  resume?(): void
  /** Nothing more is wanted of it: it closes what it holds open. */
  drop?(): void
  /** A barrier has come: what may as well go out now does, and need not be remembered. */
  flush?(): void
  /** What it remembers, as data that structured clone carries and that shares nothing with it; undefined: nothing. */
  snapshot?(): unknown
  /**
   * Goes on from what such steps remembered, in all stages that there were then: takes what belongs in this one. Called
   * before anything else.
   */
  restore?(saved: readonly unknown[]): void
}

/** What a step knows of the stage that it works in. */
export interface StepContext {
  /** Which of the stages side by side. */
  readonly partition: { readonly index: number; readonly total: number }
  /** Whether events of this key come to this stage, where they are exchanged by keys. */
  readonly owns: (key: Key) => boolean
  /** What becomes of an event whose function throws: it is a dead letter, or the run fails. */
  readonly onError: 'dead-letter' | 'fail'
  /** Whether events are those of dead letters that are tried again: of some records only parts go on. */
  readonly isReplay: boolean
  /** What operators that look at one event at a time have dropped, and made beyond one for one. */
  readonly counts: StepCounts
  /** How many inputs the stage has. */
  readonly inputs: number
  /** The input whose events are being handled. */
  input: number
  /** Whether nothing more is wanted: the count of a `take` is full. */
  isStopped: boolean
  /** Clock milliseconds that never jump; and epoch milliseconds. */
  readonly nowMs: () => number
  readonly wallMs: () => number
  /** An event of a batch came too late for its window. */
  readonly late: (operator: string, batch: Batch, index: number) => void
  /** An event is dated so far ahead of the clock that it is in its window, and moves no time on. */
  readonly ahead: (operator: string, timeMs: number, limitMs: number) => void
  /** Something that a person may want to know. */
  readonly noted: (note: string) => void
  /** An event of a batch cannot go on: a schema refused it, or a function threw. */
  readonly dead: (operator: string, batch: Batch, index: number, reason: string) => void
  /** A function of this operator threw, at this event if that is known; the first to be accused it is. */
  readonly recordFailure: (operator: string, event: readonly [value: unknown] | undefined) => void
}

export interface StepCounts {
  filtered: number
  derived: number
}

/** Makes a step in front of `next`. */
export type MakeStep = (next: Port, context: StepContext) => Step

/** A maker, with the name under which what its steps remember is kept; absent where they remember nothing. */
export interface Making {
  readonly id?: string | undefined
  readonly make: MakeStep
}

/** A step that only handles events: marks pass, and nothing is held. */
export function passing(next: Port, events: (batch: Batch) => void): Step {
  return { events, watermark: (time) => next.watermark(time) }
}

/** Hands on a batch unless it is empty. */
export function give(next: Port, batch: Batch): void {
  if (batch.length > 0) next.events(batch)
}

/** Hands on results: events that have no origin, as they were made of many. */
export function giveResults(next: Port, results: readonly unknown[]): void {
  if (results.length > 0) next.events(batchOf(results))
}
