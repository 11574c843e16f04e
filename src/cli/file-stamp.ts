// Tells whether a file is still the one that it was.

import { statSync } from 'node:fs'

/** Changes when the file is written, or comes or goes. */
export function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? 'gone' : `${stats.mtimeMs} ${stats.size} ${stats.ino}`
}
