// A task at work in one bundle.

import type { RejectionLog } from '../../engine/rejection-log.ts'
import type { LaidOut } from '../plan/laid-out.ts'
import type { Task } from '../plan/task.ts'
import type { Counts } from './counts.ts'
import type { SinkWriters } from './sink-writers.ts'

/** Sends an element on one of the task's outputs: a key, and bytes. */
export type Emit = (output: string, key: number, bytes: Uint8Array) => void

export interface TaskOptions {
  readonly task: Task
  readonly job: LaidOut
  readonly emit: Emit
  readonly counts: Counts
  readonly writers: SinkWriters
  readonly rejections: RejectionLog
  readonly signal: AbortSignal
}

/** Takes the elements of a bundle, one after the other. After a failure it gets nothing more but `drop`. */
export interface TaskRun {
  element(value: unknown): Promise<void>
  /** All elements have come: everything is out, and written, when it resolves. */
  finish(): Promise<void>
  /** Nothing is wanted of it any more. */
  drop(): void
}

/** A group as an engine hands it over: its key, and the bytes that were sent under it. */
export type Group = readonly [key: bigint, elements: readonly Uint8Array[]]
