// Reports to a consumer group how far its topic was read: for tools that show lag.

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

/** For offsets from outside of a group's members. */
const NO_GENERATION = -1
const NO_MEMBER = ''
/** How long the last report may take when a connection is closed. */
const LAST_MS = 3000
const AGAIN_MS = 1000

/** One request at a time, with the newest offsets; what could not be reported is included in the next. */
export class KafkaGroup {
  readonly #options: KafkaGroupOptions
  readonly #over = new AbortController()
  /** Partition → the next offset, if it was not reported. */
  readonly #unreported = new Map<number, number>()
  readonly #told = new Map<number, number>()
  #telling: Promise<void> | undefined
  #isClosing = false
  #hasNoted = false

  constructor(options: KafkaGroupOptions) {
    this.#options = options
  }

  /** Everything in a partition before this offset is done. */
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

  /** Once per failure. */
  #note(error: unknown): void {
    if (this.#hasNoted) return
    this.#hasNoted = true
    const { group, onNote } = this.#options
    onNote(`the offsets of group ${group} could not be committed (${kafkaErrorOf(error).message}): retrying`)
  }
}
