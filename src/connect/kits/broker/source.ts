// What the sources of brokers and live protocols have in common.

import type { LineFormat } from '../../format.ts'
import type { OpenOptions, Position, Source, SplitReader } from '../../source.ts'
import type { ToEvent } from './body.ts'

/** Where a reader continues, and what it may wait for. */
export interface Opening {
  readonly from: Position | undefined
  readonly open: OpenOptions
}

/** What a reader of messages is opened with. */
export interface LiveOpening<B, Meta, T> extends Opening {
  readonly title: string
  readonly format: LineFormat<B>
  readonly event: ToEvent<B, Meta, T> | undefined
}

/** What a reader over reestablished connections is opened with. */
export interface ConnectedOpening<B, Meta, T> extends LiveOpening<B, Meta, T> {
  /** Gives up after this long without a connection, in milliseconds. */
  readonly retryMs: number
}

export interface LiveSource<T>
  extends Pick<Source<T>, 'kind' | 'title' | 'columns' | 'provided' | 'delivery' | 'sharing'> {
  /** The id of its only split. */
  readonly split: string
  /** What reads a message, and what then makes an event of it with what came beside it, if anything does. */
  readonly format?: LineFormat<unknown>
  readonly event?: unknown
  /** Opens a reader and loads its client on demand: programs and threads without one start sooner. */
  readonly load: (opening: Opening) => Promise<SplitReader<T>>
}

/** An unbounded source with one split. */
export function liveSource<T>({ split, load, format, event, ...described }: LiveSource<T>): Source<T> {
  return {
    ...described,
    ...(format === undefined || event !== undefined ? {} : { format: format as LineFormat<T> }),
    isUnbounded: true,
    // If nobody is waiting for acknowledgements, commits only say what need not be kept any longer.
    needsAck: true,
    splits: async () => [{ id: split }],
    async open(_split, from, open = {}) {
      open.signal?.throwIfAborted()
      return await load({ from, open })
    },
  }
}
