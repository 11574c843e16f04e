// The contract of an operator at work: batches come in, and what becomes of them goes to the next one.

import type { Key } from '../base/hash.ts'
import { type Batch, batchOf } from '../connect/batch.ts'

/** Takes events, and marks in order with them. */
export interface Port {
  /** One event or more. */
  events(batch: Batch): void
  /** No event earlier than `time` follows. */
  watermark(time: number): void
}

/**
 * An operator at work in one stage. It passes its output to the port after it, in causal order, before its call
 * returns; only `Putting off` steps keep some of it for `resume`.
 */
export interface Step extends Port {
  /** An input of the stage has ended: it no longer holds back the watermark. */
  inputEnded?(input: number): void
  /** All inputs have completed: held results are emitted. Not called on cancellation or failure. */
  end?(): void
  /** When it wants `tick`, by the clock; undefined if it does not. */
  readonly nextTickMs?: number | undefined
  /** The clock has reached `nowMs`. */
  tick?(nowMs: number): void
  /** A mark from outside that windows may wait for. */
  mark?(name: string): void
  /** Whether it has put work off: its input waits meanwhile. */
  readonly isSuspended?: boolean
  /** Settles when its put-off work can continue; undefined if it can as soon as there is demand. Never rejects. */
  readonly waitsFor?: Promise<unknown> | undefined
  /** Continues with a bounded piece of its deferred work. */
  resume?(): void
  /** Nothing more is wanted from it: it closes what it holds open. */
  drop?(): void
  /** A barrier has come: emits what may as well be emitted now, to keep less state. */
  flush?(): void
  /** Its state, as data that structured clone supports and that shares nothing with it; undefined: none. */
  snapshot?(): unknown
  /**
   * Restores the state of such steps, in all stages that there were then: takes what belongs to this one. Called before
   * anything else.
   */
  restore?(saved: readonly unknown[]): void
}

/** What a step knows about its stage. */
export interface StepContext {
  /** Which of the parallel stages. */
  readonly partition: { readonly index: number; readonly total: number }
  /** Whether events of this key come to this stage, if they are exchanged by key. */
  readonly owns: (key: Key) => boolean
  /** What happens to an event whose function throws: it becomes a dead letter, or the run fails. */
  readonly onError: 'dead-letter' | 'fail'
  /** Whether events are replayed dead letters: of some records only parts are passed on. */
  readonly isReplay: boolean
  /** What stateless operators have dropped, and made beyond one for one. */
  readonly counts: StepCounts
  /** How many inputs the stage has. */
  readonly inputs: number
  /** The input whose events are being handled. */
  input: number
  /** Whether nothing more is wanted: the count of a `take` is reached. */
  isStopped: boolean
  /** Clock milliseconds that never jump; and epoch milliseconds. */
  readonly nowMs: () => number
  readonly wallMs: () => number
  /** An event of a batch came too late for its window. */
  readonly late: (operator: string, batch: Batch, index: number) => void
  /** An event is dated so far ahead of the clock that it is in its window, but does not advance the time. */
  readonly ahead: (operator: string, timeMs: number, limitMs: number) => void
  /** A note for people. */
  readonly noted: (note: string) => void
  /** An event of a batch is rejected: by a schema, or because a function threw. */
  readonly dead: (operator: string, batch: Batch, index: number, reason: string) => void
  /** Reports that this operator's function threw (on `event`, if known); only the first report counts. */
  readonly recordFailure: (operator: string, event: readonly [value: unknown] | undefined) => void
}

export interface StepCounts {
  filtered: number
  derived: number
}

/** Makes a step in front of `next`. */
export type MakeStep = (next: Port, context: StepContext) => Step

/** A maker, with the name under which its step's state is stored; absent for stateless steps. */
export interface Making {
  readonly id?: string | undefined
  readonly make: MakeStep
}

/** A step that only handles events: marks pass, and nothing is held. */
export function passing(next: Port, events: (batch: Batch) => void): Step {
  return { events, watermark: (time) => next.watermark(time) }
}

/** Passes on a batch unless it is empty. */
export function give(next: Port, batch: Batch): void {
  if (batch.length > 0) next.events(batch)
}

/** Passes on results: events without an origin, as they were made from many. */
export function giveResults(next: Port, results: readonly unknown[]): void {
  if (results.length > 0) next.events(batchOf(results))
}
