// Tells a group of consumers how far its topic was read: for those who look at that.

import { inTime } from '../../../base/closing.ts'
import { answerOf } from '../client.ts'
import { CODE, KafkaError, kafkaErrorOf } from '../errors.ts'
import { type KafkaCluster, pause } from './cluster.ts'

export interface KafkaGroupOptions {
  readonly cluster: KafkaCluster
  readonly group: string
  readonly topic: string
  readonly onNote: (note: string) => void
}

/** For offsets of nobody who is a member. */
const NO_GENERATION = -1
const NO_MEMBER = ''
/** How long the last word may take when a connection is closed. */
const LAST_MS = 3000
const AGAIN_MS = 1000

/** One question at a time, of the newest offsets; what cannot be told is told with the next. */
export class KafkaGroup {
  readonly #options: KafkaGroupOptions
  readonly #over = new AbortController()
  /** Partition → the offset that comes next, where the servers were not told. */
  readonly #unreported = new Map<number, number>()
  readonly #told = new Map<number, number>()
  #telling: Promise<void> | undefined
  #isClosing = false
  #hasNoted = false

  constructor(options: KafkaGroupOptions) {
    this.#options = options
  }

  /** Everything of a partition before this offset is done with. */
  done(partition: number, next: number): void {
    if (next <= Math.max(this.#unreported.get(partition) ?? -1, this.#told.get(partition) ?? -1)) return
    this.#unreported.set(partition, next)
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined
    })
  }

  async close(): Promise<void> {
    this.#isClosing = true
    if (this.#telling !== undefined) await inTime(this.#telling, undefined, LAST_MS)
    this.#over.abort(new Error('the connection is closed'))
  }

  async #tell(): Promise<void> {
    // Not at once: more of the same commit comes in a moment.
    await null
    while (this.#unreported.size > 0 && !this.#over.signal.aborted) {
      const offsets = new Map(this.#unreported)
      try {
        await this.#send(offsets)
        for (const [partition, next] of offsets) {
          this.#told.set(partition, next)
          if (this.#unreported.get(partition) === next) this.#unreported.delete(partition)
        }
        this.#hasNoted = false
      } catch (error) {
        if (this.#isClosing) return
        this.#note(error)
        await pause(AGAIN_MS, this.#over.signal)
      }
    }
  }

  async #send(offsets: ReadonlyMap<number, number>): Promise<void> {
    const { cluster, group, topic } = this.#options
    const client = await cluster.server(await cluster.coordinator(group))
    const partitions = [...offsets].map(([partitionIndex, next]) => ({
      partitionIndex,
      committedOffset: BigInt(next),
      committedLeaderEpoch: -1,
      committedMetadata: null,
    }))
    const asking = cluster.kafka.offsetCommitV7.api.async(client, group, NO_GENERATION, NO_MEMBER, null, [
      { name: topic, partitions },
    ])
    const { topics } = await answerOf(asking)
    const codes = topics.flatMap((one) => one.partitions.map(({ errorCode }) => errorCode))
    const code = codes.find((one) => one !== CODE.none)
    if (code !== undefined) throw new KafkaError(code, `group ${group}`)
  }

  /** Once for each time that it does not work. */
  #note(error: unknown): void {
    if (this.#hasNoted) return
    this.#hasNoted = true
    const { group, onNote } = this.#options
    onNote(`group ${group} is not told how far reading is (${kafkaErrorOf(error).message}): trying again`)
  }
}
