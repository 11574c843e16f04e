// The most memory that another process ever had.

import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** Why tests of memory are skipped; false where they can run. */
export const NO_PEAK: string | false = existsSync('/proc/self/status') ? false : 'the system does not tell the peak'

const LOOK_MS = 10

/** Looks at a process until it ends; the system keeps the peak, so that none falls between two looks. */
export class Peak {
  /** In MB. */
  mb = 0

  watch(child: ChildProcess): void {
    const timer = setInterval(() => this.#look(child.pid), LOOK_MS)
    child.once('exit', () => clearInterval(timer))
  }

  #look(pid: number | undefined): void {
    try {
      const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
      this.mb = Math.max(this.mb, Number(found?.[1] ?? 0) / 1024)
    } catch {
      // It has just ended.
    }
  }
}
