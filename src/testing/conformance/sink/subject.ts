// A sink under test: how one is made, and how its rows are seen.

import type { Sink } from '../../../connect/sink.ts'

/** A sink under test. */
export interface SinkSubject<Row> {
  readonly name: string
  /** A sink over a store of its own in which nothing is yet, and a way to look at its rows. */
  readonly make: () => SinkPlace<Row> | Promise<SinkPlace<Row>>
  /** A row that comes back as this number and this text. */
  readonly row: (number: number, text: string) => Row
  /** A row that the sink refuses, if there is any. */
  readonly refused?: Row
  /** Whether a row overwrites the one of the same number; else both are there. */
  readonly isKeyed?: boolean
  /** Whether an instance that has written and not committed keeps all others waiting, as one that locks its file does. */
  readonly locksWhileWriting?: boolean
  /** Whether, after a reset, a run may load into the place where rows are; true by default. */
  readonly startsOverInPlace?: boolean
  /** Scripts to run, each with a seed of its own: 10 by default. */
  readonly scripts?: number
}

export interface SinkPlace<Row> {
  readonly sink: Sink<Row>
  /** All rows that can be seen now, by whatever pipeline, in any order. */
  readonly visible: () => readonly SeenRow[] | Promise<readonly SeenRow[]>
  /** Called when a test is done. */
  readonly close?: () => void | Promise<void>
}

export interface SeenRow {
  readonly number: number
  readonly text: string
}
