// A disk that is soon full: a file system in memory, where the system lets us mount one.

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

/** Why tests of full disks are skipped; false where they can run. */
export const NO_SMALL_DISK: string = 'no small file system can be mounted here'

/** A mounted file system of a few kilobytes. */
export class SmallDisk {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** @returns undefined where mounting is refused */
  static mount(path: string, size: string): SmallDisk | undefined {
    mkdirSync(path, { recursive: true })
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'ignore' })
    } catch {
      return undefined
    }
    return new SmallDisk(path)
  }

  /** Makes room, with everything where it is. */
  grow(size: string): void {
    execFileSync('mount', ['-o', `remount,size=${size}`, this.path], { stdio: 'ignore' })
  }

  [Symbol.dispose](): void {
    // Lazily: a process that was killed may take a moment to let go of it.
    execFileSync('umount', ['-l', this.path])
  }
}
