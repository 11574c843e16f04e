// Waits of tests for what they need: a condition that holds, never a time that is over.

import { until } from '../../src/testing/until.ts'

export { until }

/** How long a server may take to start: on a machine that is busy some take ten times as long. */
export const START_MS = 120_000

/** Resolves once one of the notes reads like that, whatever else was noted before. */
export async function untilNoted(notes: readonly string[], pattern: RegExp): Promise<void> {
  const what = () => `a note like ${pattern}, among ${JSON.stringify(notes)},`
  await until(() => notes.some((note) => pattern.test(note)), what)
}
