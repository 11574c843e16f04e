import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, findCoordinatorV2, offsetFetchV5 } from '@platformatic/kafka'
import { isSluiceError, json, type Position, startPipeline, textLines } from 'sluice'
import { type KafkaMeta, type KafkaSourceOptions, kafkaSource } from 'sluice/kafka'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import job from './jobs/kafka.ts'
import { freePort, programOf } from './support/brokers.ts'
import { bytesRead, clientSockets } from './support/client-sockets.ts'
import { KafkaServers, withoutKafka, withoutMock } from './support/kafka.ts'
import { loadOverKills, numbersIn, upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'
import { isUnreachable, take } from './support/take.ts'
import { tlsFront } from './support/tls-front.ts'
import { until, untilNoted } from './support/until.ts'

const folder = tempFolder('sluice-kafka-')

let places = 0
const newTopic = () => {
  places += 1
  return `place${places}-${process.pid}-${Date.now()}`
}

const copied = (position: Position): Position => JSON.parse(JSON.stringify(position))

describe(`kafka (REPRO: SEED=${SEED} npm test)`, { skip: withoutKafka() }, () => {
  let servers: KafkaServers
  before(async () => {
    servers = await KafkaServers.start(2)
  })
  after(() => servers.stop())

  const reading = async (topic: string, from?: Position, more: Partial<KafkaSourceOptions<string, string>> = {}) => {
    return await kafkaSource(servers.urls, textLines(), { topic, ...more }).open({ id: '' }, from)
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

  it('reads every partition in its order, and goes on behind what was committed of each', async () => {
    const topic = newTopic()
    await servers.topic(topic, 5)
    for (let partition = 0; partition < 4; partition += 1) {
      const lines = upTo(20).map((n) => `${partition} ${n}`)
      await servers.produce(topic, lines, ['-p', String(partition)])
    }
    const first = await reading(topic)
    const some = (await take(first, 33)) as string[]
    const position = copied(first.position())
    await first.close()
    const second = await reading(topic, position)
    const all = [...some, ...((await take(second, 47)) as string[])]
    deepEqual(copied(second.position()), {
      ...(position as object),
      count: 80,
      next: { 0: 20, 1: 20, 2: 20, 3: 20, 4: 0 },
    })
    await second.close()
    for (let partition = 0; partition < 4; partition += 1) {
      deepEqual(
        all.filter((line) => line.startsWith(`${partition} `)),
        upTo(20).map((n) => `${partition} ${n}`),
      )
    }
  })

  it('reads what another client has compressed, from the middle of a batch on', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    const lines = upTo(40).map((n) => `line ${n} ${'x'.repeat(100)}`)
    for (const [at, codec] of ['gzip', 'snappy', 'lz4', 'zstd'].entries()) {
      await servers.produce(topic, lines.slice(at * 10, at * 10 + 10), ['-z', codec])
    }
    let from: Position | undefined
    const found: unknown[] = []
    // Seven at a time: hardly ever whole batches.
    while (found.length < 35) {
      const reader = await reading(topic, from)
      found.push(...(await take(reader, 7)))
      from = copied(reader.position())
      await reader.close()
    }
    deepEqual(found, lines.slice(0, 35))
  })

  it('begins at the end where it is told to, once', async () => {
    const topic = newTopic()
    await servers.topic(topic, 2)
    await servers.produce(topic, ['before'], ['-p', '0'])
    const first = await reading(topic, undefined, { begin: 'end' })
    const position = copied(first.position())
    await first.close()
    await servers.produce(topic, ['after'], ['-p', '0'])
    const second = await reading(topic, position, { begin: 'end' })
    deepEqual(await take(second, 1), ['after'])
    await second.close()
  })

  it('gives key, headers, time and place to `event`, and makes dead letters of what is not in the format', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    const source = kafkaSource<{ t: number }, string>(servers.urls, json<{ t: number }>(), {
      topic,
      event: ({ t }, { key, headers, timeMs, partition, offset, topic: from }) => {
        if (t === 13) throw new RangeError('unlucky')
        return `${from === topic} ${partition}:${offset} ${key} ${headers.place} ${t} ${Math.abs(timeMs - Date.now()) < 60_000}`
      },
    })
    await servers.produce(topic, ['k1:{"t":1}', 'k2:{"t":13}', 'k3:no'], ['-K', ':', '-H', 'place=attic'])
    await servers.produce(topic, ['{"t":2}'])
    const reader = await source.open({ id: '' }, undefined)
    const found: string[] = []
    while (found.length < 4) {
      for (const entry of (await readEntries(reader, 10)) ?? []) {
        const { source: where, offset, raw } = entry.origin
        found.push(entry.kind === 'event' ? entry.value : `${entry.step} of ${where} at ${offset}: ${raw}`)
      }
    }
    await reader.close()
    deepEqual(found, [
      'true 0:0 k1 attic 1 true',
      `event of partition 0 of topic ${topic} at 1: {"t":13}`,
      `json of partition 0 of topic ${topic} at 2: no`,
      'true 0:3 undefined undefined 2 true',
    ])
  })

  it('makes dead letters of records without a value, or what it is told to', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    await servers.produce(topic, ['a:1', 'a:', 'b:2'], ['-K', ':', '-Z'])
    const first = await reading(topic)
    deepEqual(await take(first, 3), [
      '1',
      'dead: a record without a value: the option "tombstone" makes events of these',
      '2',
    ])
    await first.close()
    const tombstone = ({ key = '' }: KafkaMeta) => `no ${key} any more`
    const second = await reading(topic, undefined, { tombstone })
    deepEqual(await take(second, 3), ['1', 'no a any more', '2'])
    await second.close()
  })

  it('tells a group how far it is, after the commit', async () => {
    const topic = newTopic()
    const group = `readers of ${topic}`
    await servers.topic(topic)
    await servers.produce(topic, ['one', 'two', 'three'])
    const reader = await reading(topic, undefined, { group })
    await take(reader, 2)
    const position = reader.position()
    await take(reader, 1)
    const [address = ''] = servers.addresses.split(',')
    const client = new Connection('test')
    const other = new Connection('test')
    await other.connect(address.split(':')[0] ?? '', Number(address.split(':')[1]))
    const { coordinators } = await findCoordinatorV2.api.async(other, 0, [group])
    await other.close()
    const { host = '', port = 0 } = coordinators[0] ?? {}
    await client.connect(host, port)
    const told = async () => {
      const asked = [{ groupId: group, topics: [{ name: topic, partitionIndexes: [0] }] }]
      const { topics } = await offsetFetchV5.api.async(client, asked, false)
      return Number(topics?.[0]?.partitions[0]?.committedOffset)
    }
    equal(await told(), -1)
    reader.acknowledge?.(position)
    await reader.close()
    equal(await told(), 2)
    await client.close()
  })

  it('F1: is loaded exactly once over kills at random moments', async () => {
    const out = join(folder, 'killed.db')
    const count = 5000
    await servers.topic('numbers', 3)
    const producing = async () => {
      const child = spawn(
        programOf('kcat') ?? '',
        ['-P', '-b', servers.addresses, '-t', 'numbers', '-X', 'linger.ms=5'],
        {
          stdio: ['pipe', 'ignore', 'ignore'],
        },
      )
      for (let n = 1; n <= count; n += 100) {
        child.stdin.write(
          upTo(100)
            .map((at) => `{"n":${n + at - 1}}\n`)
            .join(''),
        )
        await sleep(20)
      }
      child.stdin.end()
      await once(child, 'exit')
    }
    const isDone = producing()
    const params = { urls: servers.urls.join(','), out }
    const load = { job: join(ROOT, 'test', 'jobs', 'kafka.ts'), params, out, count }
    await loadOverKills({ ...load, kills: 6, random: randomOf('kafka') })
    await isDone
  })

  it('reads nothing more while enough waits', async () => {
    const topic = newTopic()
    await servers.topic(topic, 8)
    const body = 'x'.repeat(100_000)
    for (let partition = 0; partition < 8; partition += 1) {
      await servers.produce(
        topic,
        Array.from({ length: 40 }, () => body),
        ['-p', String(partition)],
      )
    }
    const { sockets, stop } = clientSockets()
    const reader = await reading(topic)
    stop()
    await take(reader, 1)
    await until(() => bytesRead(sockets) > 8 * 1024 * 1024, 'as much as may wait')
    // Nothing shows that no more is asked for: long enough for a reader that would.
    await sleep(300)
    // Of 32 MB: what may wait (8 MiB), and an answer of each server beyond that.
    ok(bytesRead(sockets) < 17 * 1024 * 1024, `${bytesRead(sockets)} bytes came`)
    equal((await take(reader, 319)).length, 319)
    await reader.close()
  })

  it('refuses addresses, names and options that do not fit, and shows no password', () => {
    const format = textLines()
    const refused = (act: () => unknown, message: RegExp) => {
      throws(act, (error: unknown) => {
        ok(isSluiceError(error, 'CONFIG_INVALID'), String(error))
        match(error.message, message)
        ok(!error.message.includes('secret'))
        return true
      })
    }
    refused(
      () => kafkaSource('http://ann:secret@host', format, { topic: 'a' }),
      /^Cannot use the address of kafkaSource: .* found a text that is not an address$/,
    )
    refused(() => kafkaSource([], format, { topic: 'a' }), /^Cannot use the address of kafkaSource: .* found none$/)
    refused(() => kafkaSource(['kafka://a', 'kafkas://b'], format, { topic: 'a' }), /found different ones$/)
    refused(() => kafkaSource(['kafka://a:secret@b', 'kafka://b'], format, { topic: 'a' }), /found different ones$/)
    for (const topic of ['', '.', '..', 'a b', 'a'.repeat(250)]) {
      refused(
        () => kafkaSource('kafka://a', format, { topic }),
        /as topic of kafkaSource: it takes the name of a topic$/,
      )
    }
    refused(() => kafkaSource('kafka://a', format, { topic: 'a', group: '' }), /as group of kafka/)
    throws(() => kafkaSource('kafka://a', format, { topic: 'a', maxBatchBytes: 3 }), RangeError)
    throws(() => kafkaSource('kafka://a', format, { topic: 'a', sasl: 'other' as 'plain' }), RangeError)
    equal(
      kafkaSource(['kafka://ann:secret@a', 'kafka://ann:secret@b:1'], format, { topic: 'a' }).title,
      'topic a of kafka://a:9092,b:1',
    )
  })

  it('says that there is no server, once it has tried for long enough, and shows no password', async () => {
    const port = await freePort()
    const source = kafkaSource(`kafka://ann:secret@127.0.0.1:${port}`, textLines(), { topic: 'a', retryMs: 300 })
    await isUnreachable(source, new RegExp(`^Cannot read topic a of kafka://127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`))
  })
})

/** Codes of the protocol. */
const [FETCH, OFFSET_COMMIT] = [1, 8]

describe('kafka, out of order', { skip: withoutMock() }, () => {
  let servers: KafkaServers
  before(async () => {
    servers = await KafkaServers.start(2)
  })
  after(() => servers.stop())

  const opened = async (topic: string, more: Partial<KafkaSourceOptions<string, string>> = {}, from?: Position) => {
    const notes: string[] = []
    const source = kafkaSource(servers.urls, textLines(), { topic, ...more })
    const reader = await source.open({ id: '' }, from, { onNote: (note) => notes.push(note) })
    return { reader, notes }
  }

  it('follows a partition to another server', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    const { reader, notes } = await opened(topic)
    for (const server of [1, 2, 1]) {
      await servers.ask({ kind: 'leader', topic, partition: 0, server })
      await servers.produce(topic, [`at ${server}`])
      deepEqual(await take(reader, 1), [`at ${server}`])
    }
    await reader.close()
    deepEqual(notes, [])
  })

  it('tries again what a server cannot just now, and gives everything once', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    const { reader } = await opened(topic)
    const lines: string[] = []
    // Not the leader, no such partition, a disk that fails, an unknown error.
    for (const code of [6, 3, 56, -1]) {
      await servers.ask({ kind: 'errors', api: FETCH, codes: [code, code] })
      lines.push(`after ${code}`)
      await servers.produce(topic, [`after ${code}`])
      deepEqual(await take(reader, 1), [lines.at(-1)])
    }
    await reader.close()
  })

  it('reads on what other servers lead while one is gone, and what it leads when it is back', async () => {
    const topic = newTopic()
    await servers.topic(topic, 2)
    await servers.ask({ kind: 'leader', topic, partition: 0, server: 1 })
    await servers.ask({ kind: 'leader', topic, partition: 1, server: 2 })
    const { reader, notes } = await opened(topic)
    await servers.produce(topic, ['first'], ['-p', '1'])
    deepEqual(await take(reader, 1), ['first'])
    await servers.ask({ kind: 'down', server: 2 })
    await untilNoted(
      notes,
      /^server 2 of topic \S+ of kafka:\S+ is gone \(.+\): looking for the new leaders of its partitions$/,
    )
    await servers.produce(topic, ['meanwhile'], ['-p', '0'])
    deepEqual(await take(reader, 1), ['meanwhile'])
    await servers.ask({ kind: 'up', server: 2 })
    await servers.produce(topic, ['back'], ['-p', '1'])
    deepEqual(await take(reader, 1), ['back'])
    await reader.close()
  })

  it('ends when a server that leads a partition is gone for too long', async () => {
    const topic = newTopic()
    await servers.topic(topic, 2)
    await servers.ask({ kind: 'leader', topic, partition: 0, server: 1 })
    await servers.ask({ kind: 'leader', topic, partition: 1, server: 2 })
    const { reader } = await opened(topic, { retryMs: 500 })
    await servers.ask({ kind: 'down', server: 2 })
    try {
      await rejects(take(reader, 1), {
        code: 'SOURCE_UNREADABLE',
        message: /^Cannot read topic \S+ of kafka:\S+: server 2 is gone, and leads partitions: .*ECONNREFUSED.*$/,
      })
    } finally {
      await servers.ask({ kind: 'up', server: 2 })
      await reader.close()
    }
  })

  it('reads the others on while no server leads a partition, and says so', async () => {
    const topic = newTopic()
    await servers.topic(topic, 2)
    await servers.produce(topic, ['one'], ['-p', '0'])
    await servers.produce(topic, ['two'], ['-p', '1'])
    await servers.ask({ kind: 'leader', topic, partition: 1, server: -1 })
    const { reader, notes } = await opened(topic)
    deepEqual(await take(reader, 1), ['one'])
    await untilNoted(notes, /^no server leads partition 1 of topic .*: the others continue$/)
    await servers.ask({ kind: 'leader', topic, partition: 1, server: 2 })
    deepEqual(await take(reader, 1), ['two'])
    await untilNoted(notes, /^all partitions of topic .* are read again$/)
    await reader.close()
  })

  it('goes on when no server was there for a while', async () => {
    const out = join(folder, 'away.db')
    const notes: string[] = []
    await servers.topic('numbers', 2)
    await servers.produce(
      'numbers',
      upTo(300).map((n) => `{"n":${n}}`),
    )
    const run = await startPipeline(job, {
      params: new Map(Object.entries({ urls: servers.urls.join(','), out })),
      epochMs: 20,
      onEvent: (event) => {
        if (event.kind === 'noted') notes.push(event.note)
      },
    })
    await until(() => numbersIn(out).length >= 300, 'the first numbers')
    for (const server of [1, 2]) await servers.ask({ kind: 'down', server })
    await until(() => notes.some((note) => note.includes('reconnecting')), 'a break')
    for (const server of [1, 2]) await servers.ask({ kind: 'up', server })
    await until(() => notes.some((note) => note.startsWith('reconnected to')), 'a connection')
    await servers.produce(
      'numbers',
      upTo(300).map((n) => `{"n":${n + 300}}`),
    )
    await until(() => numbersIn(out).length >= 600, 'all numbers')
    await run.drain('the test is over')
    deepEqual(numbersIn(out), upTo(600))
  })

  it('says that records are gone that nobody has read', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    const { reader } = await opened(topic)
    await servers.produce(topic, ['one', 'two'])
    await take(reader, 1)
    const position = copied(reader.position()) as { count: number; next: Record<string, number> }
    await reader.close()
    await rejects(
      async () => {
        const ahead = await opened(topic, {}, { ...position, next: { 0: 3 } })
        await take(ahead.reader, 1).finally(() => ahead.reader.close())
      },
      { code: 'POSITION_LOST', message: /^Cannot resume topic .*: partition 0: its last record has offset 1$/ },
    )
    // The cluster keeps no more than about five megabytes of a partition.
    const body = 'x'.repeat(900_000)
    for (let turn = 0; turn < 8; turn += 1) await servers.produce(topic, [body])
    await rejects(
      async () => {
        const behind = await opened(topic, {}, position)
        await take(behind.reader, 1).finally(() => behind.reader.close())
      },
      {
        code: 'POSITION_LOST',
        message: /^Cannot resume topic .*: partition 0: records up to offset \d+ were deleted before they were read$/,
      },
    )
    for (const bad of [{ next: { 0: -1 }, count: 0 }, { next: [1], count: 0 }, { next: { a: 1 }, count: 0 }, 7]) {
      await rejects(opened(topic, {}, bad), { code: 'POSITION_LOST' })
    }
  })

  it('ends where the user may not read, or there is no such topic', async () => {
    const topic = newTopic()
    await servers.ask({ kind: 'topic-error', topic, code: 29 })
    await rejects(opened(topic, { retryMs: 60_000 }), {
      code: 'SOURCE_UNREADABLE',
      message: /: topic \S+: the user may not use the topic$/,
    })
    await servers.ask({ kind: 'topic-error', topic, code: 3 })
    await rejects(opened(topic, { retryMs: 300 }), {
      code: 'SOURCE_UNREADABLE',
      message: /: topic \S+: there is no such topic or partition$/,
    })
    const other = newTopic()
    await servers.topic(other)
    const { reader } = await opened(other)
    await servers.ask({ kind: 'errors', api: FETCH, codes: [29] })
    await rejects(take(reader, 1), { code: 'SOURCE_UNREADABLE', message: /the user may not use the topic$/ })
    await reader.close()
  })

  it('says that a group is not told, and tells it later', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    await servers.produce(topic, ['one'])
    const { reader, notes } = await opened(topic, { group: 'other readers' })
    await take(reader, 1)
    await servers.ask({ kind: 'errors', api: OFFSET_COMMIT, codes: [25] })
    reader.acknowledge?.(reader.position())
    await untilNoted(
      notes,
      /^the offsets of group other readers could not be committed \(group other readers: other consumers .*\): retrying$/,
    )
    await reader.close()
  })

  it('is closed in time while the servers answer nothing', async () => {
    const topic = newTopic()
    await servers.topic(topic)
    const { reader } = await opened(topic, { group: 'waiting readers' })
    await servers.produce(topic, ['one'])
    await take(reader, 1)
    servers.pause()
    try {
      reader.acknowledge?.(reader.position())
      await reader.close()
    } finally {
      servers.resume()
    }
  })

  it('speaks TLS, and trusts whom it is told to', async (test) => {
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    const made = spawnSync('openssl', [
      ...request,
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      '-',
    ])
    if (made.status !== 0) return test.skip('there is no openssl here')
    const pem = made.stdout.toString()
    const plain = await KafkaServers.start()
    const front = await tlsFront(Number(plain.addresses.split(':')[1]), pem, pem)
    try {
      const topic = newTopic()
      await plain.topic(topic)
      await plain.produce(topic, ['sealed'])
      const url = `kafkas://127.0.0.1:${front.port}`
      const reader = await kafkaSource(url, textLines(), { topic, tls: { ca: pem } }).open({ id: '' }, undefined)
      deepEqual(await take(reader, 1), ['sealed'])
      await reader.close()
      const refused = async (address: string) => {
        await rejects(
          async () => await kafkaSource(address, textLines(), { topic, retryMs: 300 }).open({ id: '' }, undefined),
          (error: unknown) => {
            ok(isSluiceError(error, 'SOURCE_UNREADABLE'), String(error))
            match(error.message, /self-signed certificate|wants TLS|requires TLS|closed/i)
            return true
          },
        )
      }
      await refused(url)
      await refused(`kafka://127.0.0.1:${front.port}`)
    } finally {
      await front.stop()
      await plain.stop()
    }
  })
})
