// Opens the reader of a Kafka topic, over connections that are made again when they break.

import { messageOf, SluiceError } from '../../base/errors.ts'
import type { LineFormat } from '../format.ts'
import { bodyReader, type ToEvent } from '../live/body.ts'
import { connectReader } from '../live/connect-reader.ts'
import { LiveReader, liveLost, livePosition, unreachable } from '../live/live-reader.ts'
import { defineText, rawOf, textOf, textsOf } from '../live/text.ts'
import { deadLetter, type Entry, traced } from '../origin.ts'
import type { Json, OpenOptions, Position, SourceCounts, SplitReader } from '../source.ts'
import { KafkaConnection } from './connection.ts'
import { InPartitions, type PartitionOffsets, recordId } from './known.ts'
import type { KafkaMeta } from './meta.ts'
import type { KafkaPlace } from './place.ts'
import { BadBatch, type KafkaRecord } from './records.ts'
import { kafkaTrouble, mayPass } from './trouble.ts'

export interface KafkaOpening<B, T> {
  readonly place: KafkaPlace
  readonly title: string
  readonly topic: string
  readonly group: string | undefined
  readonly begin: 'start' | 'end'
  readonly retryMs: number
  readonly maxBatchBytes: number
  readonly format: LineFormat<B>
  readonly event: ToEvent<B, KafkaMeta, T> | undefined
  readonly tombstone: ((meta: KafkaMeta) => T) | undefined
  readonly from: Position | undefined
  readonly open: OpenOptions
}

/** What waits to be asked for. */
const LIMITS = { messages: 4000, bytes: 8 * 1024 * 1024 }
const STEP = 'kafka'

export async function openKafka<B, T>(opening: KafkaOpening<B, T>): Promise<SplitReader<T>> {
  const { title, topic, from, open, place, retryMs, group, maxBatchBytes } = opening
  const { count, next, id } = kafkaPosition(title, from)
  const known = new InPartitions(next, id)
  const reader = new LiveReader<T, KafkaRecord>({
    title,
    known,
    idOf: recordId,
    isAgain: () => true,
    bytesOf: ({ key, value }) => (key?.length ?? 0) + (value?.length ?? 0),
    // Not what it holds: that is kept no longer than it is needed.
    receiptOf: ({ partition, offset, timeMs }) => {
      return { partition, offset, timeMs, key: undefined, value: undefined, headers: [] }
    },
    read: recordReader(opening),
    limits: LIMITS,
    count,
    open,
  })
  const failure = (error: unknown): unknown => {
    if (error instanceof SluiceError) return error
    if (!(error instanceof BadBatch)) return unreachable(title, kafkaTrouble(error))
    const found = messageOf(error)
    const message = `Cannot read ${title}: at offset ${error.offset}, ${found}`
    return new SluiceError('SOURCE_CORRUPT', message, { source: title, offset: error.offset, found })
  }
  const begin = { first: opening.begin, isFirst: from === undefined }
  const connect = async (signal: AbortSignal, onLost: (error: unknown) => void): Promise<KafkaConnection> => {
    try {
      return await KafkaConnection.open(
        {
          place,
          title,
          topic,
          group,
          known,
          begin,
          maxBatchBytes,
          retryMs,
          onRecords: (records) => {
            for (const record of records) reader.push(record)
          },
          isFull: () => reader.isFull,
          onTopic: (found) => {
            if (!known.isOf(found.id)) throw liveLost(title, from, 'the topic was deleted and made anew')
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
      throw error instanceof BadBatch ? failure(error) : kafkaTrouble(error)
    }
  }
  await connectReader<T, KafkaRecord, KafkaConnection>(reader, {
    title,
    address: place,
    retryMs,
    signal: open.signal,
    connect,
    mayPass,
    acknowledge: (connection, records) => connection?.acknowledge(records),
  })
  return reader
}

/** What a checkpoint holds of a topic. */
function kafkaPosition(
  title: string,
  from: Position | undefined,
): { readonly count: number; readonly next: PartitionOffsets; readonly id: string | undefined } {
  const { count, next = {}, topic } = livePosition(title, from)
  const isNext = typeof next === 'object' && next !== null && !Array.isArray(next)
  const offsets = isNext ? Object.entries(next as Record<string, Json>) : []
  const isFit = isNext && offsets.every(([partition, offset]) => /^\d+$/.test(partition) && isOffset(offset))
  if (isFit) return { count, next: next as PartitionOffsets, id: typeof topic === 'string' ? topic : undefined }
  throw liveLost(title, from, 'it holds no offsets of partitions')
}

function isOffset(value: Json): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function recordReader<B, T>({ format, event, tombstone, topic }: KafkaOpening<B, T>) {
  const read = bodyReader<B, KafkaMeta, T>(format, event)
  return (record: KafkaRecord, _count: number, counts: SourceCounts): Entry<T> => {
    const { partition, offset, key, value } = record
    const source = `partition ${partition} of topic ${topic}`
    const meta = metaOf(topic, record)
    if (value !== undefined) return read({ bytes: value, meta, source, count: offset }, counts)
    const origin = { source, line: 0, offset, raw: JSON.stringify({ key: key && rawOf(key), value: null }) }
    if (tombstone === undefined) {
      return deadLetter(origin, STEP, 'a record without a value: the option "tombstone" makes events of these')
    }
    try {
      return traced(tombstone(meta), origin)
    } catch (error) {
      return deadLetter(origin, 'tombstone', messageOf(error))
    }
  }
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})
const NOTHING = new Uint8Array(0)

function metaOf(topic: string, { partition, offset, timeMs, key, headers }: KafkaRecord): KafkaMeta {
  const named = headers.map(([name, value]) => [rawOf(name), value ?? NOTHING] as const)
  const texts = named.length === 0 ? NO_HEADERS : textsOf(named, 'header')
  const text = key === undefined ? undefined : textOf(key)
  const meta = { topic, partition, offset, timeMs, key: text, headers: texts }
  if (key === undefined || text !== undefined) return meta
  defineText(meta, 'key', 'the key', key)
  return Object.assign(meta, { keyBytes: key.slice() })
}
