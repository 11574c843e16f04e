// Opens live readers: over connections that are reestablished when they break, or over a listening server.

import { orClose } from '../../../base/closing.ts'
import { errnoOf, messageOf, SluiceError } from '../../../base/errors.ts'
import type { BrokerAddress } from './address.ts'
import { PushReader, type PushReaderOptions, unreachable } from './push-reader.ts'
import { Reconnecting } from './reconnecting.ts'

/** One connection. Nothing here throws. */
export interface LiveConnection {
  /** Absent if nothing arrives unrequested. */
  pause?(): void
  resume(): void
  close(): Promise<void>
}

export interface Connecting<M, C extends LiveConnection> {
  /** @param onLost - called once the connection breaks */
  connect(signal: AbortSignal, onLost: (error: unknown) => void): Promise<C>
  /** Starts reading over a connection, which is closed if that fails. */
  begin?(connection: C): Promise<void>
  /** Whether a retry may help: a SluiceError always decides for itself. */
  mayPass(error: unknown): boolean
  acknowledge?(connection: C | undefined, messages: readonly M[]): void
}

export interface ConnectedOptions<T, M> extends PushReaderOptions<T, M> {
  /** For notes. */
  readonly address: Pick<BrokerAddress, 'shown'>
  /** Gives up after this long without a connection, in milliseconds. */
  readonly retryMs: number
}

/**
 * Opens a reader and connects it, and reconnects whenever the connection breaks; the reader is closed with the
 * connection.
 *
 * @param broker - says how to connect
 * @throws {SluiceError} SOURCE_UNREADABLE if there is no connection in time
 */
export async function connectReader<T, M, C extends LiveConnection>(
  options: ConnectedOptions<T, M>,
  broker: (reader: PushReader<T, M>) => Connecting<M, C>,
): Promise<PushReader<T, M>> {
  const { title, address, retryMs } = options
  const { signal } = options.open
  const reader = new PushReader(options)
  const connecting = broker(reader)
  let connections: Reconnecting<C> | undefined
  reader.attach({
    pause: () => connections?.current?.pause?.(),
    resume: () => connections?.current?.resume(),
    acknowledge: (messages) => connecting.acknowledge?.(connections?.current, messages),
    close: async () => await connections?.close(),
  })
  const told = (error: unknown): unknown => (error instanceof SluiceError ? error : unreachable(title, error))
  try {
    connections = await Reconnecting.open<C>(
      {
        title: address.shown,
        connect: (stop, onLost) => begun(connecting, stop, onLost),
        close: (connection) => connection.close(),
        mayPass: (error) => !(error instanceof SluiceError) && connecting.mayPass(error),
        retryMs,
        onNote: (note) => reader.tell(note),
        onFailure: (error) => reader.fail(told(error)),
      },
      signal,
    )
    return reader
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : told(error)
  }
}

async function begun<M, C extends LiveConnection>(
  connecting: Connecting<M, C>,
  signal: AbortSignal,
  onLost: (error: unknown) => void,
): Promise<C> {
  const connection = await connecting.connect(signal, onLost)
  return await orClose(connection, async () => {
    await connecting.begin?.(connection)
    return connection
  })
}

/** A server that others send to. Nothing here throws. */
export interface LiveServer {
  /** There is room for more. */
  resume?(): void
  close(): Promise<void>
}

/**
 * Opens a reader of what others send to a server of its own; it is closed with the server.
 *
 * @param acknowledge - tells the server what is committed
 * @throws {SluiceError} SOURCE_UNREADABLE if it cannot listen
 */
export async function listenReader<T, M, S extends LiveServer>(
  options: PushReaderOptions<T, M>,
  start: (reader: PushReader<T, M>) => Promise<S>,
  acknowledge?: (server: S | undefined, messages: readonly M[]) => void,
): Promise<readonly [PushReader<T, M>, S]> {
  const reader = new PushReader(options)
  let server: S | undefined
  reader.attach({
    // The server checks by itself whether there is room.
    pause() {},
    resume: () => server?.resume?.(),
    acknowledge: (messages) => acknowledge?.(server, messages),
    close: async () => await server?.close(),
  })
  try {
    server = await start(reader)
    return [reader, server]
  } catch (error) {
    const { title } = options
    const message = `Cannot listen for ${title}: ${messageOf(error)}`
    const details = { source: title, offset: 0, errno: errnoOf(error) }
    throw new SluiceError('SOURCE_UNREADABLE', message, details, { cause: error })
  }
}
