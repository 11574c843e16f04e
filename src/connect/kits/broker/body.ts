// From the bytes of a message to an event, or to a dead letter.

import { messageOf } from '../../../base/errors.ts'
import { type LineFormat, Rejection } from '../../format.ts'
import { deadLetter, type Origin, type SourceRecord, tracked } from '../../origin.ts'
import type { SourceCounts } from '../../source.ts'
import { escapeMalformed, malformedFault } from '../files/records/raw.ts'
import type { PushReaderOptions } from './push-reader.ts'
import { bufferOf, rawOf, textOf } from './text.ts'

/** A received message. */
export interface Body<Meta> {
  readonly bytes: Uint8Array
  /** Why it cannot be taken: the bytes are then its beginning. */
  readonly fault?: string | undefined
  /** Its metadata: its topic, its headers. */
  readonly meta: Meta
  /** Its origin, for people: `topic sensors/7`. */
  readonly source: string
  /** Its number, over all runs. */
  readonly count: number
}

/** Makes an event from a message's value and metadata. If it throws, the message is a dead letter. */
export type ToEvent<B, Meta, T> = (body: B, meta: Meta) => T

/** The step of dead letters for messages that `event` threw for. */
const EVENT = 'event'

/**
 * Parses bodies in a format. The event is the body, unless a function makes another one of it. A body that is not UTF-8
 * is rejected, with its bytes in the raw form, unless the format wants them escaped.
 */
export function bodyReader<B, Meta, T>(
  format: LineFormat<B>,
  event: ToEvent<B, Meta, T> | undefined,
): (body: Body<Meta>, counts: SourceCounts) => SourceRecord<T> {
  const parse = format.open(() => [])
  return ({ bytes, fault, meta, source, count }, counts) => {
    const text = textOf(bytes)
    const raw = text ?? rawOf(bytes)
    const origin: Origin = { source, line: 0, offset: count, raw }
    if (fault !== undefined) return deadLetter(origin, format.name, fault)
    if (text === undefined) {
      counts.invalidUtf8 += 1
      if (format.malformed !== 'escape') return deadLetter(origin, format.name, malformedFault(raw, 'UTF-8'))
    }
    const body = parse(text ?? escapeMalformed(bufferOf(bytes)), origin)
    if (body instanceof Rejection) return deadLetter(origin, format.name, body.reason)
    if (event === undefined) return tracked(body as unknown as T, origin)
    try {
      return tracked(event(body, meta), origin)
    } catch (error) {
      return deadLetter(origin, EVENT, messageOf(error))
    }
  }
}

/**
 * Makes the function by which a reader turns messages in a format into events.
 *
 * @param of - describes a message, and its origin
 */
export function bodies<B, Meta, T, M extends { readonly bytes: Uint8Array }>(
  { format, event }: { readonly format: LineFormat<B>; readonly event: ToEvent<B, Meta, T> | undefined },
  of: (message: M) => Omit<Body<Meta>, 'count'>,
): Pick<PushReaderOptions<T, M>, 'bytesOf' | 'read'> {
  const read = bodyReader(format, event)
  return {
    bytesOf: ({ bytes }) => bytes.length,
    read: (message, count, counts) => read({ ...of(message), count }, counts),
  }
}
