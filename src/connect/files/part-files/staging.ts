// Where parts are before they are committed: a hidden folder beside them, and the names in it.

import { randomBytes } from 'node:crypto'
import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { cannotStore, makeFolder, removeFile, syncFolder } from '../../kits/files/disk.ts'

/** Only the owner has access: its files are not finished. */
const FOLDER_MODE = 0o700

/**
 * The staging folder of one pipeline, shared with others. Names in it end in a mark of the writer that made them: a
 * fenced writer that does not know it yet disturbs nobody.
 */
export class Staging {
  readonly path: string
  readonly #ours: RegExp
  readonly #mark = randomBytes(6).toString('hex')

  /**
   * @param pipeline - escaped for file names
   */
  constructor(root: string, pipeline: string) {
    this.path = join(root, '.sluice-unfinished')
    const name = pipeline.replace(/[^A-Za-z0-9]/g, '\\$&')
    this.#ours = new RegExp(`^(?:_manifest-${name}-\\d+|${name}-\\d+-\\d+)\\.[a-z.]+\\.[0-9a-f]{12}\\.tmp$`)
  }

  async make(): Promise<void> {
    await makeFolder(this.path, FOLDER_MODE)
  }

  tempOf(name: string): string {
    return `${name}.${this.#mark}.tmp`
  }

  /** Whether a text can be the name of a file of this pipeline here. */
  isOurs(name: string): boolean {
    return this.#ours.test(name)
  }

  /** Removes what earlier runs left, except for what is committed and not yet visible. */
  async clear(committed: ReadonlySet<string>): Promise<void> {
    const left: string[] = []
    try {
      for await (const { name } of await opendir(this.path)) {
        if (this.isOurs(name) && !committed.has(name)) left.push(name)
      }
    } catch (error) {
      throw cannotStore('read', this.path, error)
    }
    for (const name of left) await removeFile(join(this.path, name))
    if (left.length > 0) await syncFolder(this.path)
  }
}
