// A sink under test: how to make one, and how to see its rows.

import type { Sink } from '../../../connect/sink.ts'

/** A sink under test. */
export interface SinkSubject<Row> {
  readonly name: string
  /** A sink over an empty store of its own, and a way to see its rows. */
  readonly make: () => SinkPlace<Row> | Promise<SinkPlace<Row>>
  /** A row that comes back as this number and this text. */
  readonly row: (number: number, text: string) => Row
  /** A row that the sink rejects, if there is any. */
  readonly refused?: Row
  /** Whether a row overwrites the one of the same number; else both are there. */
  readonly isKeyed?: boolean
  /**
   * Whether an instance that has written and not committed keeps all others waiting, as one that locks its file does.
   */
  readonly locksWhileWriting?: boolean
  /** Whether, after a reset, a run may load into a place that has rows; true by default. */
  readonly startsOverInPlace?: boolean
  /** Scripts to run, each with a seed of its own: 10 by default. */
  readonly scripts?: number
}

export interface SinkPlace<Row> {
  readonly sink: Sink<Row>
  /** All visible rows, of any pipeline, in any order. */
  readonly visible: () => readonly SeenRow[] | Promise<readonly SeenRow[]>
  /** Called when a test is done. */
  readonly close?: () => void | Promise<void>
}

export interface SeenRow {
  readonly number: number
  readonly text: string
}
