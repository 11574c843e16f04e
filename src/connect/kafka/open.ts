// Opens the reader of a Kafka topic, with reconnection.

import { isCount } from '../../base/check.ts'
import { messageOf, SluiceError } from '../../base/errors.ts'
import { bodyReader } from '../kits/broker/body.ts'
import { connectReader } from '../kits/broker/connect-reader.ts'
import { liveLost, livePosition, unreachable } from '../kits/broker/push-reader.ts'
import type { ConnectedOpening } from '../kits/broker/source.ts'
import { defineTexts, rawOf, textOf, textsOf } from '../kits/broker/text.ts'
import type { NamedTexts } from '../kits/text/named-texts.ts'
import { deadLetter, type SourceRecord, tracked } from '../origin.ts'
import type { Json, Position, SourceCounts, SplitReader } from '../source.ts'
import { KafkaConnection, type KafkaConnectionOptions } from './connection.ts'
import { kafkaErrorOf, mayPass } from './errors.ts'
import type { KafkaMeta } from './meta.ts'
import { PartitionDedup, type PartitionOffsets, recordId } from './protocol/partition-dedup.ts'
import { BadBatch, type KafkaRecord } from './protocol/records.ts'

export interface KafkaOpening<B, T>
  extends ConnectedOpening<B, KafkaMeta, T>,
    Pick<KafkaConnectionOptions, 'place' | 'topic' | 'group' | 'maxBatchBytes'> {
  readonly begin: 'start' | 'end'
  readonly tombstone: ((meta: KafkaMeta) => T) | undefined
}

const STEP = 'kafka'

export async function openKafka<B, T>(opening: KafkaOpening<B, T>): Promise<SplitReader<T>> {
  const { title, from, place } = opening
  const { count, next, id } = kafkaPosition(title, from)
  const known = new PartitionDedup(next, id)
  const failure = (error: unknown): unknown => {
    if (error instanceof SluiceError) return error
    if (!(error instanceof BadBatch)) return unreachable(title, kafkaErrorOf(error))
    const found = messageOf(error)
    const message = `Cannot read ${title}: at offset ${error.offset}, ${found}`
    return new SluiceError('SOURCE_CORRUPT', message, { source: title, offset: error.offset, found })
  }
  const begin = { first: opening.begin, isFirst: from === undefined }
  return await connectReader<T, KafkaRecord, KafkaConnection>(
    {
      ...opening,
      address: place,
      known,
      idOf: recordId,
      bytesOf: ({ key, value }) => (key?.length ?? 0) + (value?.length ?? 0),
      // Without its contents: those are kept no longer than needed.
      receiptOf: ({ partition, offset, timeMs }) => {
        return { partition, offset, timeMs, key: undefined, value: undefined, headers: [] }
      },
      read: recordReader(opening),
      count,
    },
    (reader) => ({
      mayPass,
      async connect(signal, onLost) {
        try {
          return await KafkaConnection.open(
            {
              ...opening,
              known,
              begin,
              onRecords: (records) => {
                for (const record of records) reader.push(record)
              },
              isFull: () => reader.isFull,
              onTopic: (found) => {
                if (!known.isOf(found.id)) throw liveLost(title, from, 'the topic was deleted and created again')
              },
              lost: (partition, found) => liveLost(title, reader.position(), `partition ${partition}: ${found}`),
              onNote: (note) => reader.tell(note),
              onLost,
              onFailure: (error) => reader.fail(failure(error)),
            },
            signal,
          )
        } catch (error) {
          if (error instanceof SluiceError || signal.aborted) throw error
          throw error instanceof BadBatch ? failure(error) : kafkaErrorOf(error)
        }
      },
      acknowledge: (connection, records) => connection?.acknowledge(records),
    }),
  )
}

/** What a checkpoint holds of a topic. */
function kafkaPosition(
  title: string,
  from: Position | undefined,
): { readonly count: number; readonly next: PartitionOffsets; readonly id: string | undefined } {
  const { count, next = {}, topic } = livePosition(title, from)
  const isNext = typeof next === 'object' && next !== null && !Array.isArray(next)
  const offsets = isNext ? Object.entries(next as Record<string, Json>) : []
  const isFit = isNext && offsets.every(([partition, offset]) => /^\d+$/.test(partition) && isCount(offset))
  if (isFit) return { count, next: next as PartitionOffsets, id: typeof topic === 'string' ? topic : undefined }
  throw liveLost(title, from, 'it holds no offsets of partitions')
}

function recordReader<B, T>({ format, event, tombstone, topic }: KafkaOpening<B, T>) {
  const read = bodyReader<B, KafkaMeta, T>(format, event)
  return (record: KafkaRecord, _count: number, counts: SourceCounts): SourceRecord<T> => {
    const { partition, offset, key, value } = record
    const source = `partition ${partition} of topic ${topic}`
    const meta = metaOf(topic, record)
    if (value !== undefined) return read({ bytes: value, meta, source, count: offset }, counts)
    const origin = { source, line: 0, offset, raw: JSON.stringify({ key: key && rawOf(key), value: null }) }
    if (tombstone === undefined) {
      return deadLetter(origin, STEP, 'a record without a value: the option "tombstone" makes events of these')
    }
    try {
      return tracked(tombstone(meta), origin)
    } catch (error) {
      return deadLetter(origin, 'tombstone', messageOf(error))
    }
  }
}

const NO_HEADERS: NamedTexts = Object.freeze({})
const NOTHING = new Uint8Array(0)

function metaOf(topic: string, { partition, offset, timeMs, key, headers }: KafkaRecord): KafkaMeta {
  const named = headers.map(([name, value]) => [rawOf(name), value ?? NOTHING] as const)
  const texts = named.length === 0 ? NO_HEADERS : textsOf(named, 'header')
  const text = key === undefined ? undefined : textOf(key)
  const meta = { topic, partition, offset, timeMs, key: text, headers: texts }
  if (key === undefined || text !== undefined) return meta
  defineTexts(meta, 'key', 'the key', [key])
  return Object.assign(meta, { keyBytes: key.slice() })
}
