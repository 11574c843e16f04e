// Which branches join the first sink.

import type { Sink } from '../../sink.ts'

/** Whether a branch is written in the transactions of the first sink. */
export function isJoined({ database }: Sink<never>, into: Sink<never>): boolean {
  return database !== undefined && into.database === database && into.openBeside !== undefined
}
