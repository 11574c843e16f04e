// What travels through a pipeline beside a value: where it came from, or why it could not go on.

/**
 * Where an event came from. A line of a file has all of these; other sources leave `line` at 0. An event that was made
 * of many records has an empty `source`, and a number as its `offset`.
 */
export interface Origin {
  /** The file (its path as the source names it) or other split; never empty for a record. */
  readonly source: string
  /** Line number, from 1; 0 where the source has no lines. */
  readonly line: number
  /** Byte offset of the event's first byte in the split, uncompressed: with `source` it is the event's identity. */
  readonly offset: number
  /** The event as it was read, before any parsing; bytes that are no text are escaped in it, where there are any. */
  readonly raw: string
  /**
   * Which of the events that one record became: 0, or absent, for the record itself and for its only event; else a
   * number that no other event of the record has. The same in every run, on any number of threads.
   */
  readonly part?: number
  /** How far apart the parts of what this event becomes lie: 1 where it is absent. */
  readonly stride?: number
  /** Of a record that is tried again: the parts that were refused. All of it where it is absent. */
  readonly only?: readonly number[]
}

/** A value with its origin. Steps that change the value keep the origin. */
export interface Tracked<T> {
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
export type SourceRecord<T> = Tracked<T> | DeadLetter

export function tracked<T>(value: T, origin: Origin): Tracked<T> {
  return { kind: 'event', value, origin }
}

export function deadLetter(origin: Origin, step: string, reason: string): DeadLetter {
  return { kind: 'dead', origin, step, reason }
}

/** Whether an event was made of one record, and not of many. */
export function isOfRecord({ source }: Origin): boolean {
  return source !== ''
}

/** Why an event cannot become so many; undefined if it can. */
export function faultOfParts({ stride = 1, only }: Origin, count: number): string | undefined {
  if (stride * (count + 1) > Number.MAX_SAFE_INTEGER) {
    return `a record becomes more events than can be numbered: found ${count} made of one of ${stride}`
  }
  const missing = only?.find((part) => {
    const digit = ((part - (part % stride)) / stride) % (count + 1)
    return digit < 1 || digit > count
  })
  if (missing === undefined) return undefined
  return `it now becomes ${count} events, and part ${missing} of it, which was refused, is not one of them`
}

/** The origin of one of `count` events that were made of one; undefined for one that is not tried again. */
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

/** What an origin holds, as plain data: it may be an object of a class, which nothing clones whole. */
export function plainOrigin({ source, line, offset, raw, part, stride, only }: Origin): Origin {
  const place = { source, line, offset, raw }
  if (part === undefined && only === undefined) return place
  return { ...place, part: part ?? 0, stride: stride ?? 1, ...(only === undefined ? {} : { only }) }
}

/** `file:line`, or `file@offset` where there are no lines; `result 12` of what was made of many records. */
export function placeOf(origin: Origin): string {
  const { source, line, offset } = origin
  if (!isOfRecord(origin)) return `result ${offset}`
  return line > 0 ? `${source}:${line}` : `${source}@${offset}`
}
