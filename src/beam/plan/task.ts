// What a worker does in one place of a plan, as plain data: no function is sent, only where to find them.

import type { Split } from '../../connect/source.ts'

/** A pipeline as workers find it. */
export interface SentJob {
  /** The module's URL, the same on every host. */
  readonly module: string
  /** The name under which it is exported. */
  readonly name: string
  /** Parameters as text. */
  readonly params: Readonly<Record<string, string>>
  /** SHA-256 of the module's file. */
  readonly moduleSha256: string
  /** Of the topology: what the module imports may differ, too. */
  readonly fingerprint: string
  /** In how many shards events are exchanged, where the plan does not say it. */
  readonly shards: number
  /** Who holds the pipeline's lease while the job runs. */
  readonly owner: string
}

export type Task =
  /** Lists the splits of the sources of a stage, and opens the groups that must exist. */
  | { readonly does: 'list'; readonly job: SentJob; readonly stage: number }
  /** Reads splits, and passes them through the layers of the stage. */
  | { readonly does: 'read'; readonly job: SentJob; readonly stage: number }
  /** Passes what other stages sent through the layers of the stage. */
  | { readonly does: 'work'; readonly job: SentJob; readonly stage: number }

export function taskBytes(task: Task): Uint8Array {
  return Buffer.from(JSON.stringify(task))
}

export function taskOf(bytes: Uint8Array): Task {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Task
}

/** A split on its way to the worker that reads it; without one, there is nothing to read. */
export interface ListedSplit {
  readonly layer: number
  readonly split?: Split
}
