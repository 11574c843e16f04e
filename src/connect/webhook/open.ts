// Opens the reader of a webhook.

import { messageOf, SluiceError } from '../../base/errors.ts'
import type { LineFormat } from '../format.ts'
import { bodyReader, type ToEvent } from '../live/body.ts'
import { ByName } from '../live/known.ts'
import { LiveReader, namedPosition } from '../live/live-reader.ts'
import type { OpenOptions, Position, SplitReader } from '../source.ts'
import type { Guard } from './guard.ts'
import type { WebhookMeta } from './meta.ts'
import { type Posted, UNNAMED, WebhookServer } from './server.ts'

export interface WebhookOpening<B, T> {
  readonly title: string
  readonly host: string
  readonly port: number
  readonly path: string
  readonly guard: Guard
  readonly maxBytes: number
  readonly keyHeader: string
  readonly remember: number
  readonly onListening: ((port: number) => void) | undefined
  readonly format: LineFormat<B>
  readonly event: ToEvent<B, WebhookMeta, T> | undefined
  readonly from: Position | undefined
  readonly open: OpenOptions
}

/** What waits to be asked for. */
const LIMITS = { messages: 4000, bytes: 16 * 1024 * 1024 }

export async function openWebhook<B, T>(opening: WebhookOpening<B, T>): Promise<SplitReader<T>> {
  const { title, path, from, open, remember, format, event } = opening
  const position = namedPosition(title, from)
  const read = bodyReader<B, WebhookMeta, T>(format, event)
  const reader = new LiveReader<T, Posted>({
    title,
    known: new ByName(position, remember, (name) => !name.startsWith(UNNAMED)),
    idOf: ({ name }) => name,
    isAgain: () => true,
    bytesOf: ({ bytes }) => bytes.length,
    read: ({ bytes, headers, path: url }, count, counts) => {
      return read({ bytes, meta: { headers, path: url }, source: `webhook ${path}`, count }, counts)
    },
    limits: LIMITS,
    count: position.count,
    open,
  })
  let server: WebhookServer | undefined
  reader.attach({
    pause() {},
    resume() {},
    acknowledge: (all) => server?.committed(all.map(({ name }) => name)),
    close: async () => await server?.close(),
  })
  try {
    server = await WebhookServer.start({
      ...opening,
      onPosted: (posted) => reader.push(posted),
      isFull: () => reader.isFull,
      isStopping: () => open.signal?.aborted === true,
    })
  } catch (error) {
    const message = `Cannot listen for ${title}: ${messageOf(error)}`
    throw new SluiceError(
      'SOURCE_UNREADABLE',
      message,
      { source: title, offset: 0, errno: 'unknown' },
      { cause: error },
    )
  }
  opening.onListening?.(server.port)
  return reader
}
