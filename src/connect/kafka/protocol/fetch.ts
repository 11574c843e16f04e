// One question for more records, to the server that leads their partitions.

import { answerOf, type Kafka, type KafkaClient } from '../client.ts'
import type { AbortedTransaction } from './records.ts'

/** What came of a partition: a code, or bytes. */
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
/** The last version that needs nothing but names, and that every server since Kafka 2.3 speaks. */
const FETCH_VERSION = 11
const NO_SESSION = { id: 0, epoch: -1 }

export interface Fetched {
  /** That of the whole question. */
  readonly code: number
  readonly partitions: readonly FetchedPartition[]
}

/** Asks for records; records are left as the bytes that they are. */
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
      reader.readInt32() // Throttled for so long, by the server itself.
      const code = reader.readInt16()
      reader.readInt32() // Of a session that was not asked for.
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
  for (let offsets = 0; offsets < 3; offsets += 1) reader.readInt64() // How far it goes, stands, and where it starts.
  const aborted = reader.readNullableArray(
    (one) => ({ producerId: one.readInt64(), firstOffset: one.readInt64() }),
    false,
    false,
  )
  reader.readInt32() // Another server that has it, too.
  const bytes = reader.readNullableBytes(false)
  return { partition, code, bytes: bytes ?? Buffer.alloc(0), aborted: aborted ?? [] }
}

/** Where the records of partitions begin, or end: partition → offset, or the code of what stands against it. */
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
