// A Kafka cluster: its servers, and which of them leads which partition.

import { addAbortListener } from 'node:events'
import { systemClock } from '../../../base/clock.ts'
import type { KafkaPlace } from '../address.ts'
import { answerOf, connectKafka, endKafka, type Kafka, type KafkaClient, loadKafka } from '../client.ts'
import { KafkaError, kafkaErrorOf } from '../errors.ts'

/** A topic, as the servers know it. */
export interface KafkaTopic {
  /** Tells it from an earlier topic of the same name; undefined if servers are too old. */
  readonly id: string | undefined
  /** Partition → its leader; undefined while it has no leader. */
  readonly leaders: ReadonlyMap<number, number | undefined>
}

interface Server {
  readonly host: string
  readonly port: number
}

/** The version that tells topics apart, and does not create them on request. */
const METADATA = 12
const METADATA_API = 3
const NO_ID = '00000000-0000-0000-0000-000000000000'

export class KafkaCluster {
  readonly kafka: Kafka
  readonly #place: KafkaPlace
  readonly #closing = new AbortController()
  /** By their numbers, as far as they are known. */
  readonly #servers = new Map<number, Server>()
  readonly #clients = new Map<number, Promise<KafkaClient>>()
  /** To whichever answered first. */
  #first: KafkaClient | undefined
  #finding: Promise<KafkaClient> | undefined
  #tellsIds = false

  private constructor(kafka: Kafka, place: KafkaPlace) {
    this.kafka = kafka
    this.#place = place
  }

  /** Asks one server after the other. Throws the last error if none answers. */
  static async open(place: KafkaPlace, signal: AbortSignal): Promise<KafkaCluster> {
    const cluster = new KafkaCluster(await loadKafka(), place)
    using _ = addAbortListener(signal, () => cluster.close())
    try {
      await cluster.#any()
      signal.throwIfAborted()
      return cluster
    } catch (error) {
      cluster.close()
      throw signal.aborted ? signal.reason : error
    }
  }

  /**
   * What the servers know of a topic.
   *
   * @param mayMake - whether the request may create it, on servers that do that
   * @throws {KafkaError} if it does not exist, or is not visible to this user
   */
  async topic(name: string, mayMake: boolean): Promise<KafkaTopic> {
    const { metadataV2, metadataV12 } = this.kafka
    const client = await this.#any()
    const api = this.#tellsIds ? metadataV12.api : metadataV2.api
    const { brokers, topics } = await answerOf(api.async(client, [name], mayMake, false))
    for (const { nodeId, host, port } of brokers) this.#servers.set(nodeId, { host, port })
    const topic = topics.find((one) => one.name === name)
    const code = topic === undefined ? 3 : topic.errorCode
    if (code !== 0) throw new KafkaError(code, `topic ${name}`)
    const { partitions = [], topicId } = topic ?? {}
    return {
      id: this.#tellsIds && topicId !== NO_ID ? topicId : undefined,
      leaders: new Map(
        partitions
          .map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId < 0 ? undefined : leaderId] as const)
          .toSorted(([a], [b]) => a - b),
      ),
    }
  }

  /** The connection to a server. */
  async server(node: number): Promise<KafkaClient> {
    const current = this.#clients.get(node)
    if (current !== undefined) return await current
    const server = this.#servers.get(node)
    if (server === undefined) throw new Error(`the address of server ${node} is unknown`)
    const client = this.#connect(server)
    this.#clients.set(node, client)
    client.catch(() => this.#clients.delete(node))
    return await client
  }

  /** The connection to a server is broken. */
  drop(node: number): void {
    const client = this.#clients.get(node)
    this.#clients.delete(node)
    client?.then(endKafka, () => {})
  }

  /** The coordinator of a consumer group. */
  async coordinator(group: string): Promise<number> {
    const { coordinators } = await answerOf(
      this.kafka.findCoordinatorV2.api.async(await this.#any(), this.kafka.FindCoordinatorKeyTypes.GROUP, [group]),
    )
    const [found] = coordinators
    if (found === undefined || found.errorCode !== 0) throw new KafkaError(found?.errorCode ?? 15, `group ${group}`)
    this.#servers.set(found.nodeId, { host: found.host, port: found.port })
    return found.nodeId
  }

  close(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(new Error('the connection is closed'))
    if (this.#first !== undefined) endKafka(this.#first)
    for (const node of [...this.#clients.keys()]) this.drop(node)
  }

  async #any(): Promise<KafkaClient> {
    if (this.#first?.isConnected() === true) return this.#first
    // Concurrent callers get the same.
    this.#finding ??= this.#find().finally(() => {
      this.#finding = undefined
    })
    return await this.#finding
  }

  async #find(): Promise<KafkaClient> {
    let trouble: unknown
    for (const server of [...this.#servers.values(), ...this.#place.servers]) {
      this.#closing.signal.throwIfAborted()
      try {
        this.#first = await this.#connect(server)
        const { apiKeys } = await answerOf(this.kafka.apiVersionsV1.api.async(this.#first, '', ''))
        this.#tellsIds = apiKeys.some(({ apiKey, maxVersion }) => apiKey === METADATA_API && maxVersion >= METADATA)
        return this.#first
      } catch (error) {
        if (this.#first !== undefined) endKafka(this.#first)
        this.#first = undefined
        trouble = error
      }
    }
    throw kafkaErrorOf(trouble)
  }

  async #connect(server: Server): Promise<KafkaClient> {
    return await connectKafka(server, this.#place, this.#closing.signal)
  }
}

/** Waits; ends at once, without an error, when it is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await systemClock.sleep(ms, signal).catch(() => {})
}
