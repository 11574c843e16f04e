// Common parts of the suites for sources.

import { deepEqual } from 'node:assert/strict'
import { recordsOf } from '../../connect/batch.ts'
import type { SourceRecord } from '../../connect/origin.ts'
import type { Position, SplitReader } from '../../connect/source.ts'

/** As a checkpoint stores it; makes sure that asking changes nothing. */
export function positionOf(reader: SplitReader<unknown>): Position {
  const position = reader.position()
  const kept = JSON.parse(JSON.stringify(position))
  deepEqual(kept, position, 'a position is JSON, and is restored as it was')
  deepEqual(reader.position(), position, 'a position stays where nothing is read')
  return kept
}

/** The values of events, in their order. */
export function valuesIn<T>(entries: readonly SourceRecord<T>[]): T[] {
  return entries.flatMap((entry) => (entry.kind === 'event' ? [entry.value] : []))
}

/** The records of a read, each with its origin, in the order in which they were read; undefined at the end. */
export async function readEntries<T>(reader: SplitReader<T>, max: number): Promise<SourceRecord<T>[] | undefined> {
  const read = await reader.read(max)
  return read === undefined ? undefined : recordsOf(read)
}
