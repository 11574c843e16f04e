// Publishes into topics of Kafka, acknowledged by all in-sync replicas.

import { backoffMs } from '../../base/backoff.ts'
import type { Outgoing } from '../kits/broker/message.ts'
import type { Publisher } from '../kits/broker/publish-writer.ts'
import type { KafkaPlace } from './address.ts'
import { answerOf } from './client.ts'
import { CODE, hasMoved, KafkaError, kafkaErrorOf } from './errors.ts'
import { KafkaCluster, type KafkaTopic, pause } from './protocol/cluster.ts'

export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** A message, and its index. */
interface Numbered {
  readonly at: number
  readonly message: Outgoing
}

/** What goes to one partition at once. */
interface Batch {
  readonly topic: string
  readonly partition: number
  readonly messages: Numbered[]
  /** Approximately. */
  sizeBytes: number
}

/** Servers accept batches of a mebibyte by default. */
const BATCH_BYTES = 512 * 1024
/** The overhead of a record, approximately. */
const RECORD_BYTES = 80
const ALL_REPLICAS = -1
/** How long servers wait for their replicas. */
const REPLICAS_MS = 20_000
const ATTEMPTS = 8
const WAITS = { firstMs: 50, capMs: 2000 }
/** Errors about records, and not about servers. */
const OF_THE_RECORD: readonly number[] = [CODE.tooLarge, CODE.batchTooLarge, CODE.invalidRecord, CODE.invalidTimestamp]

export class KafkaPublisher implements Publisher {
  readonly #cluster: KafkaCluster
  readonly #compression: KafkaCompression
  readonly #topics = new Map<string, KafkaTopic>()
  readonly #over = new AbortController()
  /** Counts publications: messages without a key go to one partition at a time, to all in turn. */
  #turn = Math.floor(Math.random() * 1000)

  private constructor(cluster: KafkaCluster, compression: KafkaCompression) {
    this.#cluster = cluster
    this.#compression = compression
  }

  static async open(place: KafkaPlace, compression: KafkaCompression, signal: AbortSignal): Promise<KafkaPublisher> {
    return new KafkaPublisher(await KafkaCluster.open(place, signal), compression)
  }

  async publish(messages: readonly Outgoing[]): Promise<ReadonlyMap<number, string>> {
    const refused = new Map<number, string>()
    try {
      for (const topic of new Set(messages.map(({ to }) => to))) {
        if (!this.#topics.has(topic)) await this.#look(topic)
      }
      const byPlace = this.#byPlace(messages)
      // In order: a partition's next batch is sent after the previous one is acknowledged.
      const sending = [...byPlace.values()].map(async (batches) => {
        for (const batch of batches) await this.#send(batch, refused)
      })
      for (const one of await Promise.allSettled(sending)) if (one.status === 'rejected') throw one.reason
      this.#turn += 1
      return refused
    } catch (error) {
      throw kafkaErrorOf(error)
    }
  }

  async close(): Promise<void> {
    this.#over.abort(new Error('the connection is closed'))
    this.#cluster.close()
  }

  /** Batches, by topic and partition. */
  #byPlace(messages: readonly Outgoing[]): ReadonlyMap<string, Batch[]> {
    const byPlace = new Map<string, Batch[]>()
    for (const [at, message] of messages.entries()) {
      const topic = message.to
      const partition = this.#partitionOf(message)
      const place = `${topic} ${partition}`
      const batches = byPlace.get(place) ?? []
      byPlace.set(place, batches)
      const sizeBytes = message.bytes.length + (message.key?.length ?? 0) + RECORD_BYTES
      let batch = batches.at(-1)
      if (batch === undefined || batch.sizeBytes + sizeBytes > BATCH_BYTES) {
        batch = { topic, partition, messages: [], sizeBytes: 0 }
        batches.push(batch)
      }
      batch.messages.push({ at, message })
      batch.sizeBytes += sizeBytes
    }
    return byPlace
  }

  /** By the hash that clients of Kafka use for keys: a key is always in the same partition, whoever sent it. */
  #partitionOf({ to, key }: Outgoing): number {
    const partitions = [...(this.#topics.get(to)?.leaders.keys() ?? [])]
    const at = key === undefined ? this.#turn : this.#cluster.kafka.murmur2(Buffer.from(key)) & 0x7fffffff
    return partitions[at % partitions.length] ?? 0
  }

  /** Sends a batch; if the servers reject something in it, its halves. */
  async #send(batch: Batch, refused: Map<number, string>): Promise<void> {
    const { messages, topic, partition } = batch
    for (let attempt = 1; ; attempt += 1) {
      const code = await this.#produce(batch)
      if (code === CODE.none) return
      const error = new KafkaError(code, `partition ${partition} of topic ${topic}`)
      if (OF_THE_RECORD.includes(code)) {
        if (messages.length === 1) return void refused.set(messages[0]?.at ?? 0, error.message)
        const half = Math.ceil(messages.length / 2)
        await this.#send({ ...batch, messages: messages.slice(0, half) }, refused)
        await this.#send({ ...batch, messages: messages.slice(half) }, refused)
        return
      }
      if (!hasMoved(code) || attempt >= ATTEMPTS) throw error
      await pause(backoffMs(attempt, WAITS), this.#over.signal)
      this.#over.signal.throwIfAborted()
      await this.#look(topic)
    }
  }

  /** The leader's code: none if all replicas have it. */
  async #produce({ topic, partition, messages }: Batch): Promise<number> {
    const leader = this.#topics.get(topic)?.leaders.get(partition)
    if (leader === undefined) return CODE.leaderNotAvailable
    const records = messages.map(({ message: { key, bytes, headers } }) => ({
      topic,
      partition,
      value: asBuffer(bytes),
      ...(key === undefined ? {} : { key: asBuffer(key) }),
      // Each name is a Buffer of its own, and so a distinct key: a name may come several times.
      headers: new Map(headers.map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
    }))
    const { produceV7 } = this.#cluster.kafka
    const options = { compression: this.#compression }
    const client = await this.#cluster.server(leader)
    const answer = await answerOf(produceV7.api.async(client, ALL_REPLICAS, REPLICAS_MS, records, options))
    const found = typeof answer === 'boolean' ? undefined : answer.responses[0]?.partitionResponses[0]
    return found?.errorCode ?? -1
  }

  async #look(topic: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const found = await this.#cluster.topic(topic, true)
        if (found.leaders.size === 0) throw new KafkaError(CODE.leaderNotAvailable, `topic ${topic}`)
        this.#topics.set(topic, found)
        return
      } catch (error) {
        // A topic created by this very request has no leader for a moment.
        if (!(error instanceof KafkaError) || error.code !== CODE.leaderNotAvailable || attempt >= ATTEMPTS) throw error
        await pause(backoffMs(attempt, WAITS), this.#over.signal)
        this.#over.signal.throwIfAborted()
      }
    }
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
