// Whether somebody has a database's write lock.

import { DatabaseSync } from 'node:sqlite'

/** A stopped process may keep it: nobody can take over then. */
export function isLocked(path: string): boolean {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('begin immediate; rollback')
    return false
  } catch {
    return true
  } finally {
    database.close()
  }
}
