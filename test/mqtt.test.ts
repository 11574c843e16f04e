import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { isSluiceError, json, type SplitReader, startPipeline, textLines } from 'sluice'
import { mqttSource } from 'sluice/mqtt'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import job from './jobs/mqtt.ts'
import { Aedes, freePort, startMosquitto, without } from './support/brokers.ts'
import { clientSockets } from './support/client-sockets.ts'
import { loadOverKills, numbersIn, upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'
import { take } from './support/take.ts'
import { until, untilNoted } from './support/until.ts'

const JOB = join(ROOT, 'test', 'jobs', 'mqtt.ts')

interface TestBroker {
  readonly port: number
  stop(): Promise<void>
  cut?(): void
  kill?(signal: NodeJS.Signals): Promise<void>
  start?(): Promise<void>
}

const BROKERS: readonly { readonly name: string; readonly skip: string | false; start(): Promise<TestBroker> }[] = [
  { name: 'aedes (MQTT 3.1.1)', skip: false, start: () => Aedes.start() },
  { name: 'mosquitto (MQTT 5)', skip: without('mosquitto'), start: () => startMosquitto() },
]

const folder = tempFolder('sluice-mqtt-')
let loads = 0
const newFile = () => {
  loads += 1
  return join(folder, `${loads}.db`)
}

for (const { name, skip, start } of BROKERS) {
  describe(`mqtt from ${name} (REPRO: SEED=${SEED} npm test)`, { skip }, () => {
    let broker: TestBroker
    let url = ''
    const random = randomOf(`mqtt ${name}`)
    const open: SplitReader<unknown>[] = []
    before(async () => {
      broker = await start()
      url = `mqtt://127.0.0.1:${broker.port}`
    })
    after(() => broker.stop())
    afterEach(async () => {
      for (const reader of open.splice(0)) await reader.close()
    })
    let clients = 0
    const newClient = () => {
      clients += 1
      return `client-${clients}`
    }
    /** Subscribes and goes away: the broker keeps what comes from then on. */
    const subscribed = async (clientId: string, topics = 'numbers/#', qos: 0 | 1 | 2 = 1) => {
      const reader = await mqttSource(url, textLines(), { topics, clientId, qos }).open({ id: '' }, undefined)
      await reader.close()
    }
    const publish = async (topic: string, bodies: readonly (string | Buffer)[], qos: 0 | 1 | 2 = 1) => {
      const client = await connectAsync(url, { clientId: newClient() })
      await Promise.all(bodies.map((body) => client.publishAsync(topic, body, { qos })))
      await client.endAsync()
    }
    const reading = async (
      clientId: string,
      from?: Parameters<SplitReader<string>['acknowledge'] & {}>[0],
      qos: 0 | 1 | 2 = 1,
    ) => {
      const reader = await mqttSource(url, textLines(), { topics: `${clientId}/#`, clientId, qos }).open(
        { id: '' },
        from,
      )
      open.push(reader)
      return reader
    }
    for (const qos of [1, 2] as const) {
      it(`sends again what was not acknowledged, and not what was, at QoS ${qos}`, async () => {
        const clientId = newClient()
        await subscribed(clientId, `${clientId}/#`, qos)
        await publish(`${clientId}/a`, ['one', 'two', 'three'], qos)
        const first = await reading(clientId, undefined, qos)
        deepEqual(await take(first, 2), ['one', 'two'])
        first.acknowledge?.(first.position())
        deepEqual(await take(first, 1), ['three'])
        await first.close()
        // As by a run that knows of nothing.
        deepEqual(await take(await reading(clientId, undefined, qos), 1), ['three'])
      })

      it(`knows what was committed and not acknowledged, at QoS ${qos}`, async () => {
        const clientId = newClient()
        await subscribed(clientId, `${clientId}/#`, qos)
        await publish(`${clientId}/a`, ['one', 'two', 'three'], qos)
        const first = await reading(clientId, undefined, qos)
        await take(first, 2)
        const position = JSON.parse(JSON.stringify(first.position()))
        await first.close()
        const second = await reading(clientId, position, qos)
        deepEqual(await take(second, 1), ['three'])
        await publish(`${clientId}/a`, ['two'], qos)
        deepEqual(await take(second, 1), ['two'], 'a new message of the same content is a new one')
      })
    }

    it('gives topic and properties to `event`, and makes dead letters of what is not in the format', async () => {
      const clientId = newClient()
      const source = mqttSource(url, json<{ t: number }>(), {
        topics: `${clientId}/+/t`,
        clientId,
        event: ({ t }, { topic }) => `${topic.split('/')[1]} ${t.toFixed(1)}`,
      })
      const reader = await source.open({ id: '' }, undefined)
      open.push(reader)
      await publish(`${clientId}/attic/t`, ['{"t":20}', 'x'.repeat(100_000), Buffer.of(0xff, 0x00), '{"u":1}'])
      await publish(`${clientId}/attic/other`, ['{"t":21}'])
      await publish(`${clientId}/cellar/t`, ['{"t":9}'])
      const found: unknown[] = []
      while (found.length < 5) {
        for (const entry of (await readEntries(reader, 10)) ?? []) {
          found.push(entry.kind === 'event' ? entry.value : `${entry.step} of ${entry.origin.source}`)
        }
      }
      const at = `of topic ${clientId}/attic/t`
      deepEqual(found, ['attic 20.0', `json ${at}`, `json ${at}`, `event ${at}`, 'cellar 9.0'])
      equal(reader.counts.invalidUtf8, 1)
    })

    it('holds the broker up where nothing is asked for, and loses nothing', async () => {
      const clientId = newClient()
      const reader = await reading(clientId)
      const count = 20_000
      const bodies = upTo(count).map((n) => `${n} ${'x'.repeat(200)}`)
      // All of it is at the broker, which confirms it, before any is asked for.
      await publish(`${clientId}/a`, bodies)
      const values: string[] = []
      while (values.length < count) {
        values.push(...(await take(reader, Math.min(1000, count - values.length))))
        reader.acknowledge?.(reader.position())
      }
      deepEqual(values, bodies)
    })

    it('F1: is loaded exactly once over kills at random moments', async () => {
      const out = newFile()
      const count = 6000
      await subscribed('loader')
      const publishing = (async () => {
        const client = await connectAsync(url, { clientId: newClient() })
        for (let n = 1; n <= count; n += 100) {
          const some = Array.from({ length: 100 }, (_, at) => n + at)
          await Promise.all(some.map((one) => client.publishAsync(`numbers/${one % 7}`, `{"n":${one}}`, { qos: 1 })))
          await sleep(10)
        }
        await client.endAsync()
      })()
      await loadOverKills({ job: JOB, params: { url, out }, out, count, kills: 8, random })
      await publishing
    })

    it('connects again when the connection breaks, and gives the rest', async () => {
      const out = newFile()
      const client = newClient()
      await subscribed(client)
      const notes: string[] = []
      const run = await startPipeline(job, {
        params: new Map([
          ['url', url],
          ['out', out],
          ['client', client],
        ]),
        epochMs: 20,
        onEvent: (event) => {
          if (event.kind === 'noted') notes.push(event.note)
        },
      })
      await publish(
        'numbers/1',
        upTo(500).map((n) => `{"n":${n}}`),
      )
      await until(() => numbersIn(out).length >= 100, 'some numbers')
      if (broker.cut !== undefined) broker.cut()
      else {
        await until(() => numbersIn(out).length >= 500, 'all numbers')
        await broker.kill?.('SIGTERM')
        await broker.start?.()
      }
      await until(() => notes.some((note) => note.startsWith('reconnected to')), 'a connection')
      await publish(
        'numbers/1',
        upTo(500).map((n) => `{"n":${n + 500}}`),
      )
      await until(() => numbersIn(out).length >= 1000, 'all numbers')
      // What is sent again over the new connection comes before what was published after it: nothing is left to come.
      await run.drain('the test is over')
      deepEqual(numbersIn(out), upTo(1000))
      await untilNoted(notes, /^the connection to mqtt:\/\/127\.0\.0\.1:\d+ broke \(.*\): reconnecting$/)
    })
  })
}

describe('mqtt', () => {
  it('says that there is no broker, once it has tried for long enough, and shows no password', async () => {
    const port = await freePort()
    const source = mqttSource(`mqtt://ann:secret@127.0.0.1:${port}`, textLines(), {
      topics: 'a',
      clientId: 'b',
      retryMs: 300,
    })
    await rejects(
      async () => await source.open({ id: '' }, undefined),
      (error: unknown) => {
        ok(isSluiceError(error, 'SOURCE_UNREADABLE'), String(error))
        match(error.message, new RegExp(`^Cannot read a of mqtt://127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`))
        ok(!error.message.includes('secret'))
        return true
      },
    )
  })

  it('stops trying when it is told to', async () => {
    const port = await freePort()
    const stop = new AbortController()
    const source = mqttSource(`mqtt://127.0.0.1:${port}`, textLines(), { topics: 'a', clientId: 'b' })
    const connects = clientSockets()
    const opening = source.open({ id: '' }, undefined, { signal: stop.signal })
    const isStopped = rejects(opening, /stopped/)
    await until(() => connects.sockets.length > 1, 'a second attempt')
    connects.stop()
    stop.abort(new Error('stopped'))
    await isStopped
  })

  it('refuses invalid addresses, topics and client ids', () => {
    const make = (url: string, topics: string, clientId: string) => () =>
      mqttSource(url, textLines(), { topics, clientId })
    for (const [url, topics, clientId] of [
      ['http://a', 'a', 'a'],
      ['secret', 'a', 'a'],
      ['mqtt://a', '', 'a'],
      ['mqtt://a', 'a/#/b', 'a'],
      ['mqtt://a', 'a+', 'a'],
      ['mqtt://a', 'a', ''],
      ['mqtt://:secret@a', 'a', 'a'],
      ['mqtt://%zz:secret@a', 'a', 'a'],
    ] as const) {
      try {
        make(url, topics, clientId)()
        ok(false, `${url} ${topics} ${clientId} was taken`)
      } catch (error) {
        ok(isSluiceError(error, 'CONFIG_INVALID'), String(error))
        ok(!error.message.includes('secret'))
      }
    }
  })
})
