// From a line to what travels: a value with its origin, or a dead letter.

import { messageOf } from '../../base/errors.ts'
import { type ParseLine, Rejection } from '../format.ts'
import { deadLetter, type Entry, type Origin, traced } from '../origin.ts'
import type { Line } from './cutter.ts'

/** Where lines are of, and what is made of them. */
export interface EntryMaker<T> {
  /** The source of their origins. */
  readonly source: string
  /** The step of their dead letters: the format's name. */
  readonly step: string
  readonly parse: ParseLine<T>
  /** Whether the lines are numbered; their origins have line 0 if not. */
  readonly hasLines: boolean
}

/** The entry that a line is. */
export function entryOf<T>(line: Line, { source, step, parse, hasLines }: EntryMaker<T>): Entry<T> {
  const origin: Origin = { source, line: hasLines ? line.line : 0, offset: line.offset, raw: line.raw ?? line.text }
  if (line.fault !== undefined) return deadLetter(origin, step, line.fault)
  const value = parsed(parse, line.text, origin)
  return value instanceof Rejection ? deadLetter(origin, step, value.reason) : traced(value, origin)
}

/** What a parser makes of a line. One promises not to throw; one that does costs the record, not the run. */
export function parsed<T>(parse: ParseLine<T>, text: string, origin: Origin): T | Rejection {
  try {
    return parse(text, origin)
  } catch (thrown) {
    return new Rejection(messageOf(thrown))
  }
}
