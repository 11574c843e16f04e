// Ties a live reader to connections that are made again when they break.

import { SluiceError } from '../../base/errors.ts'
import type { BrokerAddress } from './address.ts'
import { type LiveReader, unreachable } from './live-reader.ts'
import { Supervised } from './supervised.ts'

/** One connection. Nothing here throws. */
export interface LiveConnection {
  /** Absent where nothing comes that was not asked for. */
  pause?(): void
  resume(): void
  close(): Promise<void>
}

export interface Connecting<M, C extends LiveConnection> {
  readonly title: string
  /** For notes. */
  readonly address: Pick<BrokerAddress, 'shown'>
  /** How long no connection is borne, in milliseconds. */
  readonly retryMs: number
  readonly signal: AbortSignal | undefined
  /** @param onLost - called once the connection breaks */
  readonly connect: (signal: AbortSignal, onLost: (error: unknown) => void) => Promise<C>
  /** Whether trying again may help: what a SluiceError says stands. */
  readonly mayPass: (error: unknown) => boolean
  readonly acknowledge?: (connection: C | undefined, messages: readonly M[]) => void
}

/**
 * Connects, and again whenever that breaks; the reader is closed with the connection.
 *
 * @throws {SluiceError} SOURCE_UNREADABLE if there is no connection in time
 */
export async function connectReader<T, M, C extends LiveConnection>(
  reader: LiveReader<T, M>,
  { title, address, retryMs, signal, connect, mayPass, acknowledge }: Connecting<M, C>,
): Promise<void> {
  let connections: Supervised<C> | undefined
  reader.attach({
    pause: () => connections?.current?.pause?.(),
    resume: () => connections?.current?.resume(),
    acknowledge: (messages) => acknowledge?.(connections?.current, messages),
    close: async () => await connections?.close(),
  })
  const told = (error: unknown): unknown => (error instanceof SluiceError ? error : unreachable(title, error))
  try {
    connections = await Supervised.open<C>(
      {
        title: address.shown,
        connect: async (closing) => {
          const breaks: unknown[] = []
          const connection = await connect(closing, (error) => {
            breaks.push(error)
            connections?.lost(error)
          })
          if (breaks.length === 0) return connection
          // It broke while it was made, and says so only once.
          await connection.close()
          throw breaks[0]
        },
        close: (connection) => connection.close(),
        mayPass: (error) => !(error instanceof SluiceError) && mayPass(error),
        retryMs,
        onNote: (note) => reader.tell(note),
        onFailure: (error) => reader.fail(told(error)),
      },
      signal,
    )
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : told(error)
  }
}
