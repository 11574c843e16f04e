// Dead letters of events inside a flow: with their origin where they still have one, else with what they are.

import { type DeadLetter, deadLetter, isOfRecord, type Origin, type Traced } from '../connect/origin.ts'

/** The most text that is kept of an event without an origin. */
const MOST_TEXT = 64 * 1024

/** The origin of every event that was made of many records, until it gets a number. */
export const NO_RECORD: Origin = { source: '', line: 0, offset: 0, raw: '' }

/** Whether an event goes through the flow with its origin. */
export function isTraced(event: unknown): event is Traced<unknown> {
  return typeof event === 'object' && event !== null && 'kind' in event && event.kind === 'event' && hasOrigin(event)
}

/** An event of a user's may be called an event, too, and say where it is from. */
function hasOrigin(event: object): boolean {
  if (!('origin' in event) || !('value' in event)) return false
  const { origin } = event
  return typeof origin === 'object' && origin !== null && 'source' in origin && 'offset' in origin && 'raw' in origin
}

/** @param event - an event with its origin, or what became of several: its text then stands for it */
export function letterOf(operator: string, event: unknown, reason: string): DeadLetter {
  const isWithOrigin = isTraced(event)
  if (isWithOrigin && isOfRecord(event.origin)) return deadLetter(event.origin, operator, reason)
  return deadLetter({ ...NO_RECORD, raw: textOf(isWithOrigin ? event.value : event) }, operator, reason)
}

/** An event as text: JSON where it has some. */
export function textOf(event: unknown): string {
  try {
    const text = JSON.stringify(event, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
    return (text ?? String(event)).slice(0, MOST_TEXT)
  } catch {
    return String(event).slice(0, MOST_TEXT) // A cycle, or a getter that throws.
  }
}
