// One fetch request, to the leader of partitions.

import { answerOf, type Kafka, type KafkaClient } from '../client.ts'
import type { AbortedTransaction } from './records.ts'

/** The result for a partition: a code, or bytes. */
export interface FetchedPartition {
  readonly partition: number
  readonly code: number
  readonly bytes: Buffer
  readonly aborted: readonly AbortedTransaction[]
}

/** How long a server waits for the first record, and how much comes at once: the first batch comes whole. */
const WAIT_MS = 500
const BYTES = 4 * 1024 * 1024
const PARTITION_BYTES = 1024 * 1024

const FETCH_API = 1
/** The last version that identifies topics by name alone, which every server since Kafka 2.3 supports. */
const FETCH_VERSION = 11
const NO_SESSION = { id: 0, epoch: -1 }

export interface Fetched {
  /** Of the whole request. */
  readonly code: number
  readonly partitions: readonly FetchedPartition[]
}

/** Fetches records, which stay as bytes. */
export type Fetch = (
  client: KafkaClient,
  topic: string,
  from: readonly (readonly [partition: number, offset: number])[],
) => Promise<Fetched>

export function fetcher({ createAPI, fetchV11, FetchIsolationLevels }: Kafka): Fetch {
  const api = createAPI<Parameters<typeof fetchV11.createRequest>, Fetched>(
    FETCH_API,
    FETCH_VERSION,
    fetchV11.createRequest,
    (_id, _key, _version, reader) => {
      reader.readInt32() // Throttle time, enforced by the server itself.
      const code = reader.readInt16()
      reader.readInt32() // For a session that was not requested.
      const topics = reader.readArray(
        (topic) => {
          topic.readString(false)
          return topic.readArray(readPartition, false, false)
        },
        false,
        false,
      )
      return { code, partitions: topics.flat() }
    },
    false,
    false,
  )
  return async (client, topic, from) => {
    const partitions = from.map(([partition, offset]) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: PARTITION_BYTES,
    }))
    const topics = [{ topicId: topic, partitions }]
    const { id, epoch } = NO_SESSION
    return await api.async(client, WAIT_MS, 1, BYTES, FetchIsolationLevels.READ_COMMITTED, id, epoch, topics, [], '')
  }
}

function readPartition(reader: import('@platformatic/kafka').Reader): FetchedPartition {
  const partition = reader.readInt32()
  const code = reader.readInt16()
  for (let offsets = 0; offsets < 3; offsets += 1) reader.readInt64() // High watermark, last stable offset, and log start.
  const aborted = reader.readNullableArray(
    (one) => ({ producerId: one.readInt64(), firstOffset: one.readInt64() }),
    false,
    false,
  )
  reader.readInt32() // A preferred replica.
  const bytes = reader.readNullableBytes(false)
  return { partition, code, bytes: bytes ?? Buffer.alloc(0), aborted: aborted ?? [] }
}

/** Where the records of partitions start, or end: partition → offset, or an error code. */
export async function edgesOf(
  { listOffsetsV2, FetchIsolationLevels, ListOffsetTimestamps }: Kafka,
  client: KafkaClient,
  topic: string,
  partitions: readonly number[],
  edge: 'start' | 'end',
): Promise<ReadonlyMap<number, { readonly code: number; readonly offset: number }>> {
  const timestamp = edge === 'start' ? ListOffsetTimestamps.EARLIEST : ListOffsetTimestamps.LATEST
  const asked = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }))
  const answer = await answerOf(
    listOffsetsV2.api.async(client, -1, FetchIsolationLevels.READ_COMMITTED, [{ name: topic, partitions: asked }]),
  )
  const found = answer.topics.flatMap((one) => one.partitions)
  return new Map(
    found.map(({ partitionIndex, errorCode, offset }) => [partitionIndex, { code: errorCode, offset: Number(offset) }]),
  )
}
