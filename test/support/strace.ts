// Faults at the n-th call of the system, by strace: an error is given, or the process is killed.

import { spawnSync } from 'node:child_process'

/** Why tests that need strace are skipped; false where it works. */
export const NO_STRACE: string | false =
  spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0 ? false : 'strace cannot be used here'

/** Filtered in the kernel, calls that are not looked at cost nothing; signals cannot be injected that way. */
const FAST: readonly string[] =
  NO_STRACE === false && spawnSync('strace', ['--seccomp-bpf', '-f', '-qq', '-o', '/dev/null', 'true']).status === 0
    ? ['--seccomp-bpf']
    : []

export interface Injection {
  /** A call of the system: `fsync`. */
  readonly call: string
  /** Which one of those that concern `paths`, from 1: strace counts for each thread. */
  readonly when: number
  readonly paths?: readonly string[]
}

/** What strace needs beside: each thread counts its own calls. */
export const ONE_THREAD: Readonly<Record<string, string>> = { UV_THREADPOOL_SIZE: '1' }

/** The words in front of a command whose n-th call fails with an error: `EIO`. */
export function failing(errno: string, injection: Injection): string[] {
  return [...strace(injection, FAST), '-e', `inject=${injection.call}:error=${errno}:when=${injection.when}`]
}

/** The words in front of a command that is killed at its n-th call. */
export function killing(injection: Injection): string[] {
  return [...strace(injection, []), '-e', `inject=${injection.call}:signal=KILL:when=${injection.when}`]
}

/** The files that a SQLite database may consist of. */
export function databaseFiles(path: string): string[] {
  return ['', '-wal', '-shm', '-journal'].map((ending) => `${path}${ending}`)
}

function strace({ call, paths = [] }: Injection, more: readonly string[]): string[] {
  const only = paths.flatMap((path) => ['-P', path])
  return ['strace', ...more, '-f', '-qq', '-o', '/dev/null', ...only, '-e', `trace=${call}`]
}
