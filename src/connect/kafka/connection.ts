// Reads the partitions of a topic, each from its leader, while there is room for records.

import { addAbortListener } from 'node:events'
import { systemClock } from '../../base/clock.ts'
import { SluiceError } from '../../base/errors.ts'
import type { KafkaPlace } from './address.ts'
import { CODE, hasMoved, KafkaError, kafkaErrorOf, mayPass } from './errors.ts'
import { KafkaCluster, type KafkaTopic, pause } from './protocol/cluster.ts'
import { decompressor } from './protocol/decompress.ts'
import { edgesOf, type Fetch, type Fetched, type FetchedPartition, fetcher } from './protocol/fetch.ts'
import { KafkaGroup } from './protocol/group.ts'
import type { PartitionDedup } from './protocol/partition-dedup.ts'
import { BadBatch, type BatchTools, type KafkaRecord, recordsIn } from './protocol/records.ts'

export interface KafkaConnectionOptions {
  readonly place: KafkaPlace
  readonly title: string
  readonly topic: string
  readonly group: string | undefined
  readonly known: PartitionDedup
  /** Where partitions without a position start: those that exist at the first connection, and later ones. */
  readonly begin: { readonly first: 'start' | 'end'; isFirst: boolean }
  readonly maxBatchBytes: number
  /** How long the leader of partitions may be gone. */
  readonly retryMs: number
  readonly onRecords: (records: readonly KafkaRecord[]) => void
  /** Whether enough is waiting; `resume` is called when there is room. */
  readonly isFull: () => boolean
  /** Checks the topic each time the servers are asked. Throws if it is not the one that was read before. */
  readonly onTopic: (topic: KafkaTopic) => void
  /** The error for records of a partition that are gone. */
  readonly lost: (partition: number, found: string) => Error
  readonly onNote: (note: string) => void
  readonly onLost: (error: unknown) => void
  /** Retrying does not help. */
  readonly onFailure: (error: unknown) => void
}

/** How often to ask for new partitions; and for leaders, when one is not where it was. */
const TOPIC_MS = 30_000
const MOVED_MS = 250

/** It was gone for too long. */
class ServerGone extends Error {}

export class KafkaConnection {
  readonly #options: KafkaConnectionOptions
  readonly #cluster: KafkaCluster
  readonly #fetch: Fetch
  readonly #tools: BatchTools
  readonly #group: KafkaGroup | undefined
  readonly #over = new AbortController()
  /** Partition → its server. In the order of requests: those that returned something go to the end. */
  readonly #leaders = new Map<number, number>()
  /** Partition → its start offset, if it started at the beginning: until records of it have come. */
  readonly #fresh = new Map<number, number>()
  readonly #loops = new Map<number, Promise<void>>()
  readonly #waiting = new Set<() => void>()
  #watch: Promise<void> = Promise.resolve()
  /** Ends the wait until the servers are asked again. */
  #ask: () => void = () => {}
  #leaderless = ''
  /** Servers that are gone → since when. */
  readonly #silent = new Map<number, number>()

  private constructor(options: KafkaConnectionOptions, cluster: KafkaCluster) {
    this.#options = options
    this.#cluster = cluster
    const { kafka } = cluster
    const { snappy, lz4 } = kafka.compressionsAlgorithms
    this.#fetch = fetcher(kafka)
    this.#tools = {
      checksum: kafka.crc32c,
      decompress: decompressor({
        title: options.title,
        maxBytes: options.maxBatchBytes,
        snappy: (bytes) => snappy.decompressSync(bytes),
        lz4: (bytes) => lz4.decompressSync(bytes),
      }),
    }
    const { group, topic, onNote } = options
    if (group !== undefined) this.#group = new KafkaGroup({ cluster, group, topic, onNote })
  }

  static async open(options: KafkaConnectionOptions, signal: AbortSignal): Promise<KafkaConnection> {
    const cluster = await KafkaCluster.open(options.place, signal)
    const connection = new KafkaConnection(options, cluster)
    using _ = addAbortListener(signal, () => cluster.close())
    try {
      await connection.#look()
      if (connection.#leaders.size === 0) throw new KafkaError(CODE.leaderNotAvailable, `topic ${options.topic}`)
      connection.#watch = connection.#watchTopic()
      return connection
    } catch (error) {
      await connection.close()
      throw signal.aborted ? signal.reason : error
    }
  }

  /** There is room again. */
  resume(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Records are committed. */
  acknowledge(records: readonly KafkaRecord[]): void {
    if (this.#group === undefined) return
    const next = new Map<number, number>()
    for (const { partition, offset } of records) next.set(partition, offset + 1)
    for (const [partition, offset] of next) this.#group.done(partition, offset)
  }

  async close(): Promise<void> {
    this.#over.abort(new Error('the connection is closed'))
    this.resume()
    await this.#group?.close()
    this.#cluster.close()
    await Promise.all([this.#watch, ...this.#loops.values()])
  }

  /** Asks for the leaders again, from time to time and when one is not where it was. */
  async #watchTopic(): Promise<void> {
    const watched = (): AbortSignal => {
      const asked = new AbortController()
      this.#ask = () => asked.abort()
      return AbortSignal.any([asked.signal, this.#over.signal])
    }
    for (let asked = watched(); ; ) {
      const waitMs = this.#leaderless === '' ? TOPIC_MS : MOVED_MS
      await pause(MOVED_MS, this.#over.signal)
      await pause(waitMs, asked)
      if (this.#over.signal.aborted) return
      // Later requests may be about things that the pending answer does not have yet.
      asked = watched()
      try {
        await this.#look()
      } catch (error) {
        return this.#fail(error)
      }
    }
  }

  async #look(): Promise<void> {
    const { topic: name, onTopic, begin, known } = this.#options
    const topic = await this.#cluster.topic(name, false)
    onTopic(topic)
    await this.#begin(topic)
    const leaderless: number[] = []
    for (const [partition, node] of topic.leaders) {
      if (known.nextOf(partition) === undefined) leaderless.push(partition)
      else if (node === undefined) leaderless.push(partition)
      else if (this.#leaders.get(partition) !== node) this.#leaders.set(partition, node)
    }
    if ([...topic.leaders.keys()].every((partition) => known.nextOf(partition) !== undefined)) begin.isFirst = false
    this.#tellLeaderless(leaderless.join(', '))
    for (const node of new Set(this.#leaders.values())) {
      if (this.#loops.has(node) || this.#over.signal.aborted) continue
      this.#loops.set(
        node,
        this.#read(node).catch((error: unknown) => this.#fail(error)),
      )
    }
  }

  /** Finds where new partitions start. */
  async #begin({ leaders }: KafkaTopic): Promise<void> {
    const { known, begin } = this.#options
    const edge = begin.isFirst ? begin.first : 'start'
    const byNode = new Map<number, number[]>()
    for (const [partition, node] of leaders) {
      if (node === undefined || known.nextOf(partition) !== undefined) continue
      byNode.set(node, [...(byNode.get(node) ?? []), partition])
    }
    for (const [node, partitions] of byNode) {
      for (const [partition, { code, offset }] of await this.#edges(node, partitions, edge)) {
        if (code !== CODE.none) continue // It is asked again.
        known.begin(partition, offset)
        if (edge === 'start') this.#fresh.set(partition, offset)
      }
    }
  }

  async #edges(node: number, partitions: readonly number[], edge: 'start' | 'end') {
    const { kafka } = this.#cluster
    return await edgesOf(kafka, await this.#cluster.server(node), this.#options.topic, partitions, edge)
  }

  /** Reads from one server until it leads nothing any more. */
  async #read(node: number): Promise<void> {
    try {
      while (!this.#over.signal.aborted) {
        const mine = [...this.#leaders].filter(([, leader]) => leader === node).map(([partition]) => partition)
        if (mine.length === 0) return
        if (this.#options.isFull()) await this.#room()
        else if (!(await this.#readOnce(node, mine))) return this.#forget(mine)
      }
    } finally {
      // At once: others must not think that this one still reads.
      this.#loops.delete(node)
    }
  }

  /** Whether the server has answered, and still leads the partitions. */
  async #readOnce(node: number, partitions: readonly number[]): Promise<boolean> {
    const { known, topic } = this.#options
    const from = partitions.map((partition) => [partition, known.nextOf(partition) ?? 0] as const)
    let answer: Fetched
    try {
      answer = await this.#fetch(await this.#cluster.server(node), topic, from)
      this.#silent.delete(node)
    } catch (error) {
      this.#cluster.drop(node)
      if (!this.#over.signal.aborted) this.#bear(node, error)
      return false
    }
    if (hasMoved(answer.code)) return false
    if (answer.code !== CODE.none) throw new KafkaError(answer.code, `topic ${topic}`)
    for (const fetched of answer.partitions) if (!this.#over.signal.aborted) await this.#take(node, fetched)
    return true
  }

  async #take(node: number, fetched: FetchedPartition): Promise<void> {
    const { known, onRecords, topic } = this.#options
    const { partition, code, bytes, aborted } = fetched
    const from = known.nextOf(partition) ?? 0
    if (code === CODE.outOfRange) return await this.#outOfRange(node, partition, from)
    if (hasMoved(code)) return this.#forget([partition])
    if (code !== CODE.none) throw new KafkaError(code, `partition ${partition} of topic ${topic}`)
    if (bytes.length === 0) return
    const { records, next } = recordsIn({ partition, bytes, from, aborted }, this.#tools)
    if (next === from) return
    this.#fresh.delete(partition)
    onRecords(records)
    known.passed(partition, next)
    // Partitions that returned something are asked last the next time: a server returns no more than fits one answer.
    this.#leaders.delete(partition)
    this.#leaders.set(partition, node)
  }

  /** Records are gone: harmless if nothing of the partition was read yet. */
  async #outOfRange(node: number, partition: number, from: number): Promise<void> {
    const { known, lost } = this.#options
    const start = (await this.#edges(node, [partition], 'start')).get(partition)
    const end = (await this.#edges(node, [partition], 'end')).get(partition)
    if (start?.code !== CODE.none || end?.code !== CODE.none) return this.#forget([partition])
    if (this.#fresh.get(partition) === from) {
      this.#fresh.set(partition, start.offset)
      known.begin(partition, start.offset)
    } else if (from < start.offset) {
      throw lost(partition, `records up to offset ${start.offset - 1} were deleted before they were read`)
    } else if (from > end.offset) throw lost(partition, `its last record has offset ${end.offset - 1}`)
    else this.#forget([partition])
  }

  /** Partitions have moved. */
  #forget(partitions: readonly number[]): void {
    for (const partition of partitions) this.#leaders.delete(partition)
    this.#ask()
  }

  #tellLeaderless(partitions: string): void {
    if (partitions === this.#leaderless) return
    this.#leaderless = partitions
    const { onNote, title } = this.#options
    onNote(
      partitions === ''
        ? `all partitions of ${title} are read again`
        : `no server leads partition ${partitions} of ${title}: the others continue`,
    )
  }

  /** A server is gone: the others may know the new leader, within the time without a connection. */
  #bear(node: number, error: unknown): void {
    const { onNote, title, retryMs } = this.#options
    const nowMs = systemClock.nowMs()
    const sinceMs = this.#silent.get(node)
    const reason = kafkaErrorOf(error).message
    if (!mayPass(error) || nowMs - (sinceMs ?? nowMs) > retryMs) {
      throw new ServerGone(`server ${node} is gone, and leads partitions`, { cause: error })
    }
    if (sinceMs !== undefined) return
    this.#silent.set(node, nowMs)
    onNote(`server ${node} of ${title} is gone (${reason}): looking for the new leaders of its partitions`)
  }

  async #room(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    await promise
    this.#waiting.delete(resolve)
  }

  #fail(error: unknown): void {
    if (this.#over.signal.aborted) return
    this.#over.abort(error)
    this.resume()
    void this.#group?.close()
    this.#cluster.close()
    const { onLost, onFailure } = this.#options
    const isForGood = [SluiceError, BadBatch, ServerGone, TypeError, RangeError].some((kind) => error instanceof kind)
    if (isForGood || !mayPass(error)) onFailure(error)
    // Not at once: an error here may not repeat with a new connection.
    else void systemClock.sleep(MOVED_MS).then(() => onLost(kafkaErrorOf(error)))
  }
}
