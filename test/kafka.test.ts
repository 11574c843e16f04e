import { deepEqual } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type KafkaOptions, kafka, type Position, type SplitReader, textLines } from 'sluice'
import { KafkaServers, withoutKafka } from './support/kafka.ts'
import { SEED } from './support/seed.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-kafka-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let places = 0
const newTopic = () => {
  places += 1
  return `place${places}-${process.pid}-${Date.now()}`
}

/** Texts of records, or why they are none. */
async function take<T>(reader: SplitReader<T>, count: number): Promise<unknown[]> {
  const values: unknown[] = []
  while (values.length < count) {
    for (const entry of (await reader.read(count - values.length)) ?? []) {
      values.push(entry.kind === 'event' ? entry.value : `${entry.step}: ${entry.reason}`)
    }
  }
  return values
}

const copied = (position: Position): Position => JSON.parse(JSON.stringify(position))

describe(`kafka (REPRO: SEED=${SEED} npm test)`, { skip: withoutKafka() }, () => {
  let servers: KafkaServers
  before(async () => {
    servers = await KafkaServers.start()
  })
  after(() => servers.stop())

  const reading = async (topic: string, from?: Position, more: Partial<KafkaOptions<string, string>> = {}) => {
    return await kafka(servers.urls, textLines(), { topic, ...more }).open({ id: '' }, from)
  }

  it('gives what comes in its order, and goes on behind what was committed', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    await servers.produce(topic, ['one', 'two'])
    const first = await reading(topic)
    deepEqual(await take(first, 2), ['one', 'two'])
    const position = copied(first.position())
    await servers.produce(topic, ['three'])
    deepEqual(await take(first, 1), ['three'])
    await first.close()
    const second = await reading(topic, position)
    deepEqual(await take(second, 1), ['three'])
    await servers.produce(topic, ['four'])
    deepEqual(await take(second, 1), ['four'])
    await second.close()
  })
})
