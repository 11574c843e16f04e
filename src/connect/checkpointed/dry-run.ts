// A dry run of a sink without transactions: its store is inspected, and its rows go nowhere.

import { existsSync } from 'node:fs'
import type { SinkOptions, SinkWriter } from '../sink.ts'
import { openSqliteWriter } from '../sqlite/table/database.ts'

/** Without a store, there is nothing to inspect. */
export async function openStoreDry(
  path: string,
  deadLetters: string,
  { pipeline, shard, leaseMs, owner, signal }: SinkOptions,
): Promise<SinkWriter<unknown>> {
  const none = { write: () => [], writeDeadLetters() {}, commit() {} }
  if (!existsSync(path)) return { ...none, checkpoint: undefined, async close() {} }
  const own = { pipeline, shard, leaseMs, owner, signal }
  const store = await openSqliteWriter({ path, table: 'sluice_checkpoints', deadLetters, isDryRun: true, ...own })
  return {
    ...none,
    checkpoint: store.checkpoint,
    share: (listed) => store.share(listed),
    close: () => store.close(),
  }
}
