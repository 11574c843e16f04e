// Opens the reader of a Redis stream, with reconnection.

import { bodyReader } from '../kits/broker/body.ts'
import { connectReader } from '../kits/broker/connect-reader.ts'
import { SequenceDedup } from '../kits/broker/deduplicator.ts'
import { liveLost, livePosition } from '../kits/broker/push-reader.ts'
import type { ConnectedOpening } from '../kits/broker/source.ts'
import { rawOf, textsOf } from '../kits/broker/text.ts'
import { gathered, type NamedTexts } from '../kits/text/named-texts.ts'
import { deadLetter, type SourceRecord } from '../origin.ts'
import type { SourceCounts, SplitReader } from '../source.ts'
import { mayPass } from './client.ts'
import { RedisConnection, type RedisConnectionOptions } from './connection.ts'
import { compareIds, isId, type RedisEntry } from './protocol.ts'

/** The metadata of an entry. */
export interface RedisStreamMeta {
  /** Its id in the stream: `1526919030474-55`. */
  readonly id: string
  /** All of its fields, as text; all values of a repeated name. Throws if one is not UTF-8. */
  readonly fields: NamedTexts
}

export interface RedisOpening<B, T>
  extends ConnectedOpening<B, RedisStreamMeta, T>,
    Pick<RedisConnectionOptions, 'address' | 'stream'> {
  readonly group: string | undefined
  readonly consumer: string
  readonly begin: 'start' | 'end'
  readonly field: string
}

const STEP = 'redis'

export async function openRedisStream<B, T>(opening: RedisOpening<B, T>): Promise<SplitReader<T>> {
  const { title, from, consumer, begin } = opening
  const { count, after } = livePosition(title, from)
  if (after !== undefined && !isId(after)) throw liveLost(title, from, 'it holds no id of an entry')
  const known = new SequenceDedup(after === undefined ? {} : { after }, compareIds)
  /** Where reading started without a position. */
  let first = begin === 'start' ? '0-0' : undefined
  const group =
    opening.group === undefined
      ? undefined
      : ({ name: opening.group, consumer, from: begin === 'start' ? '0' : '$' } as const)
  return await connectReader<T, RedisEntry, RedisConnection>(
    {
      ...opening,
      known,
      idOf: ({ id }) => id,
      bytesOf: ({ fields }) => {
        let bytes = 0
        for (const [name, value] of fields ?? []) bytes += name.length + value.length
        return bytes
      },
      read: entryReader(opening),
      count,
    },
    (reader) => ({
      mayPass,
      async connect(signal, onLost) {
        const connection = await RedisConnection.open(
          {
            ...opening,
            group,
            after: () => known.last ?? first ?? '0-0',
            isFull: () => reader.isFull,
            onEntry: (entry) => {
              // An entry that was deleted before it was read is lost.
              if (entry.fields === undefined) connection.acknowledge([entry.id])
              else reader.push(entry)
            },
            onLost,
          },
          signal,
        )
        return connection
      },
      async begin(connection) {
        const info = await connection.info()
        const last = info?.get('last-generated-id')
        first ??= last === undefined ? '0-0' : String(last)
        const note = checkStands(opening, known.after, info)
        if (note !== undefined) reader.tell(note)
        connection.begin()
      },
      acknowledge: (connection, entries) => connection?.acknowledge(entries.map(({ id }) => id)),
    }),
  )
}

/** Refuses to continue if unread entries are gone; notes it if that is possible. */
function checkStands(
  { title, from }: Pick<RedisOpening<unknown, unknown>, 'title' | 'from'>,
  after: string | undefined,
  info: ReadonlyMap<string, unknown> | undefined,
): string | undefined {
  if (after === undefined) return undefined
  if (info === undefined) throw liveLost(title, from, 'the stream is gone')
  const [last, deleted] = [info.get('last-generated-id'), info.get('max-deleted-entry-id')].map(String)
  if (isId(last) && compareIds(last, after) < 0) throw liveLost(title, from, `the stream's last entry is ${last}`)
  if (isId(deleted) && compareIds(deleted, after) > 0) {
    throw liveLost(title, from, `entries up to ${deleted} were deleted before they were read`)
  }
  const [first] = (info.get('first-entry') ?? []) as readonly unknown[]
  if (first === undefined || compareIds(String(first), after) <= 0) return undefined
  return `the stream was trimmed up to ${first}, beyond ${after}, where reading continues: entries between may be lost`
}

function entryReader<B, T>({ format, event, field, stream }: RedisOpening<B, T>) {
  const read = bodyReader<B, RedisStreamMeta, T>(format, event)
  return ({ id, fields = [] }: RedisEntry, count: number, counts: SourceCounts): SourceRecord<T> => {
    const source = `stream ${stream}`
    const [body, ...more] = fields.filter(([name]) => name === field)
    if (body !== undefined && more.length === 0) {
      return read({ bytes: body[1], meta: { id, fields: textsOf(fields, 'field') }, source, count }, counts)
    }
    const raws = gathered(fields.map(([name, bytes]) => [name, rawOf(bytes)]))
    const origin = { source, line: 0, offset: count, raw: JSON.stringify(raws) }
    const found = body === undefined ? 'no field' : `${1 + more.length} fields`
    return deadLetter(origin, STEP, `entry ${id} has ${found} ${JSON.stringify(field)}`)
  }
}
