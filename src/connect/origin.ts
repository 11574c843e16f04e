// What travels through a pipeline beside a value: where it came from, or why it could not go on.

/** Where an event came from. A line of a file has all of these; other sources leave `line` at 0. */
export interface Origin {
  /** The file (its path as the source names it) or other split. */
  readonly source: string
  /** Line number, from 1; 0 where the source has no lines. */
  readonly line: number
  /** Byte offset of the event's first byte in the split, uncompressed: with `source` it is the event's identity. */
  readonly offset: number
  /** The event as it was read, before any parsing; bytes that are no text are escaped in it, where there are any. */
  readonly raw: string
}

/** A value with its origin. Steps that change the value keep the origin. */
export interface Traced<T> {
  readonly kind: 'event'
  readonly value: T
  readonly origin: Origin
}

/** An event that could not be processed: kept with its raw form, its place and the reason. */
export interface DeadLetter {
  readonly kind: 'dead'
  readonly origin: Origin
  /** The step that refused it: a format, a validation, an operator or the sink, by name. */
  readonly step: string
  /** Why, for a person to read. */
  readonly reason: string
}

/** What a source gives and a pipeline carries: an event or a dead letter, in the order they were read. */
export type Entry<T> = Traced<T> | DeadLetter

export function traced<T>(value: T, origin: Origin): Traced<T> {
  return { kind: 'event', value, origin }
}

export function deadLetter(origin: Origin, step: string, reason: string): DeadLetter {
  return { kind: 'dead', origin, step, reason }
}

/** `file:line`, or `file@offset` where there are no lines. */
export function placeOf({ source, line, offset }: Origin): string {
  return line > 0 ? `${source}:${line}` : `${source}@${offset}`
}
