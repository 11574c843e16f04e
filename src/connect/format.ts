// The contract of formats: how one record's text becomes a value.

import type { Columns } from './column.ts'
import type { Origin } from './origin.ts'
import type { Scan } from './scan.ts'

/** Why a record was rejected. A parser returns it instead of throwing: dirty input is not exceptional. */
export class Rejection {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

/**
 * Turns the text of one record into a value or a {@link Rejection}; never throws, linear in the length of `text`.
 *
 * `origin` is reused for the next record: a parser that keeps some of it copies its fields. They are computed on
 * access: what a parser does not read costs nothing.
 */
export type ParseLine<T> = (text: string, origin: Origin) => T | Rejection

/** A format of records that are lines. */
export interface LineFormat<T> {
  /** Short name, used as the step of dead letters: `access-log`. */
  readonly name: string
  readonly columns?: Columns
  /**
   * What becomes of records with bytes that are not text, unless a source's option says so: `escape` makes `\\xNN` of
   * each (the default for files; a message is rejected by default), `reject` makes a dead letter of the record.
   */
  readonly malformed?: 'reject' | 'escape'
  /** Advice for a file of which nearly all lines are rejected: the option to use. */
  readonly hint?: string
  /**
   * A parser for one file.
   *
   * @param head - returns the first lines of that file (up to 256 KiB), for formats that detect their dialect: the same
   *   lines wherever in the file reading starts. They are read when it is called, which may only be during `open`
   */
  open(head: () => readonly string[]): ParseLine<T>
  /** Reads many plain lines of one file at once: a faster way to the same values, if the format has one. */
  scan?(head: () => readonly string[]): Scan<T> | undefined
}
