// Opens the reader of a webhook.

import { formTexts } from '../formats/form.ts'
import { bodies } from '../kits/broker/body.ts'
import { listenReader } from '../kits/broker/connect-reader.ts'
import { IdDedup } from '../kits/broker/deduplicator.ts'
import { namedPosition } from '../kits/broker/push-reader.ts'
import type { LiveOpening } from '../kits/broker/source.ts'
import type { NamedTexts } from '../kits/text/named-texts.ts'
import type { SplitReader } from '../source.ts'
import { type Posted, UNNAMED, type WebhookMeta, WebhookServer, type WebhookServerOptions } from './server.ts'

export interface WebhookOpening<B, T>
  extends LiveOpening<B, WebhookMeta, T>,
    Omit<WebhookServerOptions, 'onPosted' | 'isFull' | 'isStopping'> {
  readonly remember: number
  readonly onListening: ((port: number) => void) | undefined
}

/** What is waiting. */
const LIMITS = { messages: 4000, bytes: 16 * 1024 * 1024 }

export async function openWebhook<B, T>(opening: WebhookOpening<B, T>): Promise<SplitReader<T>> {
  const { title, path, from, open, remember } = opening
  const position = namedPosition(title, from)
  const [reader, server] = await listenReader<T, Posted, WebhookServer>(
    {
      ...opening,
      ...bodies(opening, ({ bytes, headers, path: url }: Posted) => {
        return { bytes, meta: metaOf(headers, url), source: `webhook ${path}` }
      }),
      known: new IdDedup(position, remember, (name) => !name.startsWith(UNNAMED)),
      idOf: ({ name }) => name,
      limits: LIMITS,
      count: position.count,
    },
    (posts) =>
      WebhookServer.start({
        ...opening,
        onPosted: (posted) => posts.push(posted),
        isFull: () => posts.isFull,
        isStopping: () => open.signal?.aborted === true,
      }),
    (listening, posted) => listening?.committed(posted.map(({ name }) => name)),
  )
  opening.onListening?.(server.port)
  return reader
}

/** The query is parsed on access: an invalid one disturbs nobody else. */
function metaOf(headers: NamedTexts, path: string): WebhookMeta {
  return {
    headers,
    path,
    get query() {
      const at = path.indexOf('?')
      return at === -1 ? {} : formTexts(path.slice(at + 1))
    },
  }
}
