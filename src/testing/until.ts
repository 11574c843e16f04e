// Waits of tests for what they need: a condition that holds, never a time that is over.

import { systemClock } from '../base/clock.ts'

/**
 * Resolves once a condition holds.
 *
 * @param what - named by the error when it does not come
 * @param ms - long enough for a busy machine: only a failing test waits that long
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  ms = 60_000,
): Promise<void> {
  const untilMs = systemClock.nowMs() + ms
  while (!(await condition())) {
    if (systemClock.nowMs() > untilMs) throw new Error(`${typeof what === 'string' ? what : what()} did not come`)
    await systemClock.sleep(10)
  }
}
