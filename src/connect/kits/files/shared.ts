// What files are called on every machine: their paths relative to the folders in which they were searched for.

import { open } from 'node:fs/promises'
import { relative } from 'node:path'
import { SluiceError } from '../../../base/errors.ts'
import { SHARED_HEAD_BYTES, type SharedNames } from '../../source.ts'
import { quotePath } from './errors.ts'
import { readAt } from './identity.ts'
import type { Found } from './list.ts'

/** Parses and builds ids of parts. */
export interface PartIds {
  pathOf(id: string): string
  /** The id of the same part of a file with another path. */
  withPath(id: string, path: string): string
}

export class SharedFiles implements SharedNames {
  readonly #ids: PartIds
  /** Path → relative path, and back. */
  readonly #names = new Map<string, string>()
  readonly #paths = new Map<string, string>()
  /** Two files of the same name in different folders. */
  #clash: readonly [string, string] | undefined

  constructor(ids: PartIds) {
    this.#ids = ids
  }

  listed(found: readonly Found[]): void {
    for (const one of found) {
      if (one.kind !== 'file') continue
      const name = relative(one.within, one.path)
      const other = this.#paths.get(name)
      if (other !== undefined && other !== one.path) this.#clash ??= [other, one.path]
      this.#names.set(one.path, name)
      this.#paths.set(name, one.path)
    }
  }

  nameOf(id: string): string {
    if (this.#clash !== undefined) {
      const [one, other] = this.#clash
      const message = `Cannot share ${quotePath(one)} and ${quotePath(other)} among copies: both have the same path below the folder that they were searched for in; name them by one glob, whose folder contains both`
      throw new SluiceError('CONFIG_INVALID', message, { key: 'shard', value: one, allowed: '' })
    }
    const path = this.#ids.pathOf(id)
    return this.#ids.withPath(id, this.#names.get(path) ?? path)
  }

  idOf(name: string): string {
    const path = this.#paths.get(this.#ids.pathOf(name))
    return path === undefined ? name : this.#ids.withPath(name, path)
  }

  async headOf(id: string): Promise<Uint8Array | undefined> {
    try {
      await using handle = await open(this.#ids.pathOf(id))
      return await readAt(handle, 0, SHARED_HEAD_BYTES)
    } catch {
      return undefined // Its reader says why it cannot be read, or skips it.
    }
  }
}
