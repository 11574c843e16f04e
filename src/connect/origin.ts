// What travels through a pipeline beside a value: its origin, or why it was rejected.

/**
 * Where an event came from. A line of a file has all of these; other sources leave `line` at 0. An event made from many
 * records has an empty `source`, and a number as its `offset`.
 */
export interface Origin {
  /** The file (its path as the source names it) or other split; never empty for a record. */
  readonly source: string
  /** Line number, from 1; 0 if the source has no lines. */
  readonly line: number
  /** Byte offset of the event's first byte in the split, uncompressed: with `source` it is the event's identity. */
  readonly offset: number
  /** The event as it was read, before any parsing; bytes that are not text are escaped in it. */
  readonly raw: string
  /**
   * Which of the events that one record became: 0, or absent, for the record itself and for its only event; else a
   * number that no other event of the record has. The same in every run, on any number of threads.
   */
  readonly part?: number
  /** The distance between the parts of what this event becomes: 1 by default. */
  readonly stride?: number
  /** Of a replayed record: the parts that were rejected. All of it if absent. */
  readonly only?: readonly number[]
}

/** A value with its origin. Steps that change the value keep the origin. */
export interface Tracked<T> {
  readonly kind: 'event'
  readonly value: T
  readonly origin: Origin
}

/** An event that could not be processed: stored with its raw form, its place and the reason. */
export interface DeadLetter {
  readonly kind: 'dead'
  readonly origin: Origin
  /** The step that rejected it: a format, a validation, an operator or the sink, by name. */
  readonly step: string
  /** Why, for people. */
  readonly reason: string
}

/** What a source reads and a pipeline carries: an event or a dead letter, in the order they were read. */
export type SourceRecord<T> = Tracked<T> | DeadLetter

export function tracked<T>(value: T, origin: Origin): Tracked<T> {
  return { kind: 'event', value, origin }
}

export function deadLetter(origin: Origin, step: string, reason: string): DeadLetter {
  return { kind: 'dead', origin, step, reason }
}

/** Whether an event was made from one record, and not from many. */
export function isOfRecord({ source }: Origin): boolean {
  return source !== ''
}

/** Why an event cannot become this many; undefined if it can. */
export function faultOfParts({ stride = 1, only }: Origin, count: number): string | undefined {
  if (stride * (count + 1) > Number.MAX_SAFE_INTEGER) {
    return `a record becomes more events than can be numbered: found ${count} made from one of ${stride}`
  }
  const missing = only?.find((part) => {
    const digit = ((part - (part % stride)) / stride) % (count + 1)
    return digit < 1 || digit > count
  })
  if (missing === undefined) return undefined
  return `it now becomes ${count} events, and part ${missing} of it, which was rejected, is not one of them`
}

/** The origin of one of `count` events made of one; undefined for one that is not replayed. */
export function partOf(origin: Origin, at: number, count: number): Origin | undefined {
  const { part = 0, stride = 1, only } = origin
  const { source, line, offset, raw } = origin
  const own = { source, line, offset, raw, part: part + (at + 1) * stride, stride: stride * (count + 1) }
  if (only === undefined) return own
  const within = only.filter((one) => one % own.stride === own.part)
  if (within.length === 0) return undefined
  return within.includes(own.part) ? own : { ...own, only: within }
}

/**
 * The origin of a record of one of several sources: two of them may read the same file.
 *
 * @param number - which of them; 0 for the first, whose records keep part 0
 */
export function fromSource(origin: Origin, number: number, sources: number): Origin {
  return { ...plainOrigin(origin), part: number, stride: sources }
}

/** The contents of an origin, as plain data: it may be an instance of a class, which cannot be cloned. */
export function plainOrigin({ source, line, offset, raw, part, stride, only }: Origin): Origin {
  const place = { source, line, offset, raw }
  if (part === undefined && only === undefined) return place
  return { ...place, part: part ?? 0, stride: stride ?? 1, ...(only === undefined ? {} : { only }) }
}

/** `file:line`, or `file@offset` without lines; `result 12` for what was made from many records. */
export function placeOf(origin: Origin): string {
  const { source, line, offset } = origin
  if (!isOfRecord(origin)) return `result ${offset}`
  return line > 0 ? `${source}:${line}` : `${source}@${offset}`
}
