// Reads sources as tests do: takes what a reader gives, and finds out why there is no reader.

import { ok, rejects } from 'node:assert/strict'
import { isSluiceError } from '../../src/base/errors.ts'
import type { Source, SplitReader } from '../../src/connect/source.ts'
import { readEntries } from '../../src/testing/conformance/reading.ts'

/** The next values; of a dead letter its reason, and `the end` where the split has one. */
export async function take<T>(reader: SplitReader<T>, count: number): Promise<(T | string)[]> {
  const values: (T | string)[] = []
  while (values.length < count) {
    const entries = await readEntries(reader, count - values.length)
    if (entries === undefined) return [...values, 'the end']
    for (const entry of entries) values.push(entry.kind === 'event' ? entry.value : `dead: ${entry.reason}`)
  }
  return values
}

/** A source whose server is not there says so, and shows no password. */
export async function isUnreachable(source: Source<unknown>, message: RegExp): Promise<void> {
  await rejects(
    async () => await source.open({ id: '' }, undefined),
    (error: unknown) => {
      ok(isSluiceError(error, 'SOURCE_UNREADABLE'), String(error))
      ok(message.test(error.message) && !error.message.includes('secret'), error.message)
      return true
    },
  )
}
