// Waits of tests for what they need: a condition that holds, never a time that is over.

import { setTimeout as sleep } from 'node:timers/promises'

/** How long a server may take to start: on a machine that is busy some take ten times as long. */
export const START_MS = 120_000

/**
 * Resolves once a condition holds.
 *
 * @param what - named by the error when it does not come
 * @param ms - long enough for a busy machine: only a test that fails waits as long
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  ms = 60_000,
): Promise<void> {
  const untilMs = performance.now() + ms
  while (!(await condition())) {
    if (performance.now() > untilMs) throw new Error(`${typeof what === 'string' ? what : what()} did not come`)
    await sleep(10)
  }
}

/** Resolves once one of the notes reads like that, whatever else was noted before. */
export async function untilNoted(notes: readonly string[], pattern: RegExp): Promise<void> {
  const what = () => `a note like ${pattern}, among ${JSON.stringify(notes)},`
  await until(() => notes.some((note) => pattern.test(note)), what)
}
