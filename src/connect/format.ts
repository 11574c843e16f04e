// The contract of formats: how one record's text becomes a value.

import type { Columns } from './column.ts'
import type { Origin } from './origin.ts'

/** Why a record was refused. A parser returns it instead of throwing: dirty input is no exception. */
export class Rejection {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

/**
 * Turns the text of one record into a value or a {@link Rejection}; never throws, linear in the length of `text`.
 *
 * `origin` is that of the record which is parsed, and of the next one after that: a parser that keeps some of it copies
 * its fields. They are worked out when they are read: of what a parser does not look at it costs nothing.
 */
export type ParseLine<T> = (text: string, origin: Origin) => T | Rejection

/** A format of records that are lines. */
export interface LineFormat<T> {
  /** Short name, used as the step of dead letters: `access-log`. */
  readonly name: string
  readonly columns?: Columns
  /**
   * What becomes of records with bytes that are not text, where a source's option does not say: `escape` makes `\\xNN` of
   * each (the default for files; a message is refused by default), `reject` a dead letter of the record.
   */
  readonly malformed?: 'reject' | 'escape'
  /** What a person may do about a file of which nearly all lines are refused: the option to use. */
  readonly hint?: string
  /**
   * A parser for one file.
   *
   * @param head - gives the first lines of that file (up to 256 KiB), for formats that find out their dialect: the same
   *   lines wherever in the file reading begins. They are read when it is called, which may only be during `open`
   */
  open(head: () => readonly string[]): ParseLine<T>
}
