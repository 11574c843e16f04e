// Kafka for tests: a cluster that is given (SLUICE_KAFKA=host:port), or the one that librdkafka has for its own tests.

import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { Admin } from '@platformatic/kafka'
import { programOf } from './brokers.ts'
import type { MockCommand } from './kafka-mock.ts'

const GIVEN = process.env.SLUICE_KAFKA

/** Why tests of Kafka are skipped; false where there is one. */
export function withoutKafka(): string | false {
  if (GIVEN !== undefined && GIVEN !== '') return false
  if (process.platform === 'linux' && programOf('kcat') !== undefined) return false
  return 'there is no Kafka: SLUICE_KAFKA=host:port names one, or kcat with librdkafka1 holds one for tests'
}

/** Why tests are skipped that need more than a cluster that is given; false where there is one of our own. */
export function withoutMock(): string | false {
  return withoutKafka() || (GIVEN === undefined || GIVEN === '' ? false : 'a given Kafka is not put out of order')
}

export class KafkaServers {
  /** `host:port,host:port` */
  readonly addresses: string
  readonly #child: ChildProcess | undefined

  private constructor(addresses: string, child: ChildProcess | undefined) {
    this.addresses = addresses
    this.#child = child
  }

  static async start(servers = 1): Promise<KafkaServers> {
    if (GIVEN !== undefined && GIVEN !== '') return new KafkaServers(GIVEN, undefined)
    const child = fork(new URL('./kafka-mock.ts', import.meta.url).pathname, [String(servers)], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const failed = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`Kafka does not start: ${signal ?? code}`)
    })
    const [{ addresses }] = (await Promise.race([once(child, 'message'), failed])) as [{ readonly addresses: string }]
    return new KafkaServers(addresses, child)
  }

  /** As `kafka` and `kafkaSink` take it. */
  get urls(): string[] {
    return this.addresses.split(',').map((address) => `kafka://${address}`)
  }

  async topic(topic: string, partitions = 1): Promise<void> {
    if (this.#child !== undefined) return void (await this.ask({ kind: 'topic', topic, partitions }))
    const admin = new Admin({ clientId: 'sluice-tests', bootstrapBrokers: this.addresses.split(',') })
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
    await admin.close()
  }

  /** Puts the cluster out of order, or in order again. */
  async ask(command: MockCommand): Promise<number> {
    const child = this.#child
    if (child === undefined) throw new Error('a given Kafka is not put out of order')
    const answering = once(child, 'message')
    child.send(command)
    const [{ answer }] = (await answering) as [{ readonly answer: number }]
    return answer
  }

  /** It answers nothing until `resume`, and keeps its connections. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Lets kcat, another client, produce: one record for each line. */
  async produce(topic: string, lines: readonly string[], more: readonly string[] = []): Promise<void> {
    const producing = promisify(execFile)(programOf('kcat') ?? '', ['-P', '-b', this.addresses, '-t', topic, ...more], {
      timeout: 120_000,
    })
    producing.child.stdin?.end(lines.map((line) => `${line}\n`).join(''))
    await producing
  }

  /** What kcat reads of a topic, from its start to its end. */
  async consume(topic: string, format: string): Promise<string[]> {
    const how = ['-C', '-e', '-q', '-o', 'beginning', '-X', 'fetch.wait.max.ms=10']
    const argv = [...how, '-b', this.addresses, '-t', topic, '-f', `${format}\\n`]
    const { stdout } = await promisify(execFile)(programOf('kcat') ?? '', argv, {
      timeout: 120_000,
      maxBuffer: 64 * 1024 * 1024,
    })
    return stdout.split('\n').slice(0, -1)
  }
}
