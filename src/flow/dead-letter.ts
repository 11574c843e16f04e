// Dead letters of events inside a flow: with their origin if they have one, else with the event as text.

import type { Batch } from '../connect/batch.ts'
import { type DeadLetter, deadLetter, isOfRecord, type Origin } from '../connect/origin.ts'

/** The most text that is stored of an event without an origin. */
const MOST_TEXT = 64 * 1024

/** The origin of every event that was made from many records, until it gets a number. */
export const NO_RECORD: Origin = { source: '', line: 0, offset: 0, raw: '' }

/** The dead letter of an event of a batch: one without a record is stored as text. */
export function deadLetterOf(operator: string, batch: Batch, index: number, reason: string): DeadLetter {
  const origin = batch.origin(index)
  if (origin !== undefined && isOfRecord(origin)) return deadLetter(origin, operator, reason)
  return deadLetter({ ...NO_RECORD, raw: textOf(batch.at(index)) }, operator, reason)
}

/** An event as text: JSON if possible. */
export function textOf(event: unknown): string {
  try {
    const text = JSON.stringify(event, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
    return (text ?? String(event)).slice(0, MOST_TEXT)
  } catch {
    return String(event).slice(0, MOST_TEXT) // A cycle, or a getter that throws.
  }
}
