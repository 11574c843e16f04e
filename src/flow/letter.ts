// Dead letters of events inside a flow: with their origin where they still have one, else with what they are.

import { type DeadLetter, deadLetter, type Traced } from '../connect/origin.ts'

/** The most text that is kept of an event without an origin. */
const MOST_TEXT = 64 * 1024

/** Whether an event goes through the flow with its origin. */
export function isTraced(event: unknown): event is Traced<unknown> {
  return (
    typeof event === 'object' &&
    event !== null &&
    (event as Partial<Traced<unknown>>).kind === 'event' &&
    'origin' in event
  )
}

/** @param event - an event with its origin, or what became of several: its text then stands for it */
export function letterOf(operator: string, event: unknown, reason: string): DeadLetter {
  if (isTraced(event)) return deadLetter(event.origin, operator, reason)
  return deadLetter({ source: operator, line: 0, offset: 0, raw: textOf(event) }, operator, reason)
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
