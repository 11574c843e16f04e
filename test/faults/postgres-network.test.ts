import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { isSluiceError } from '../../src/base/errors.ts'
import type { SinkWriter } from '../../src/connect/sink.ts'
import { clientSockets } from '../support/client-sockets.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'
import {
  checkpoint,
  digestOf,
  events,
  failsWith,
  type Opening,
  openAt,
  type Row,
  range,
} from '../support/postgres-sink.ts'
import { randomOf, SEED } from '../support/seed.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const skip = missingPostgres()
const EPOCHS = 6
const ROWS = 300

describe(`a PostgreSQL sink on a network that breaks (REPRO: SEED=${SEED} npm test)`, { skip }, () => {
  let server: PostgresServer
  let proxy: TcpProxy
  let database = ''
  let undisturbed = ''

  before(async () => {
    server = await PostgresServer.start()
    database = await server.createDatabase()
    proxy = await TcpProxy.start(server.port)
    const writer = await open()
    await loadFrom(writer)
    await writer.close()
    undisturbed = await digestOf(server, database)
    await proxy.stop()
  })
  after(() => server.stop())
  beforeEach(async () => {
    proxy = await TcpProxy.start(server.port)
    database = await server.createDatabase()
  })
  afterEach(() => proxy.stop())

  const open = (opening: Opening = {}): Promise<SinkWriter<Row>> =>
    openAt(server.url(database, 'postgres', proxy.port), { owner: 'run', key: undefined as never, ...opening })

  /** Loads from where the writer's checkpoint says, as a pipeline does. */
  async function loadFrom(writer: SinkWriter<Row>, onEpoch: (epoch: number) => void = () => {}): Promise<void> {
    const from = (writer.checkpoint?.positions.get('a.log') as number | undefined) ?? 0
    for (let epoch = from + 1; epoch <= EPOCHS; epoch += 1) {
      onEpoch(epoch)
      const first = (epoch - 1) * ROWS
      deepEqual(await writer.write(range(first, first + ROWS / 2)), [])
      deepEqual(await writer.write(range(first + ROWS / 2, first + ROWS)), [])
      await writer.commit(checkpoint(epoch))
    }
  }

  /** Loads as a supervisor does: reopens after every loss, up to so many times. Gives the losses. */
  async function loadThrough(onEpoch: (epoch: number) => void, opening: Opening = {}): Promise<string[]> {
    const losses: string[] = []
    while (losses.length < 20) {
      let writer: SinkWriter<Row> | undefined
      try {
        writer = await open(opening)
        await loadFrom(writer, onEpoch)
        await writer.close()
        return losses
      } catch (error) {
        await writer?.close()
        if (!isSluiceError(error, 'SINK_LOST')) throw error
        losses.push(error.message)
        await proxy.refuse()
        await proxy.accept()
        proxy.mode = 'pass'
      }
    }
    throw new Error(`gave up: ${losses.join('; ')}`)
  }

  for (const [side, kept] of [
    ['before', 2],
    ['after', 3],
  ] as const) {
    it(`F9: finds out what became of a commit whose connection is cut ${side} it`, async () => {
      const writer = await open()
      let cut: Promise<void> | undefined
      const loading = loadFrom(writer, (epoch) => {
        if (epoch === 3) cut = proxy.cutAround(side)
      })
      await rejects(
        loading,
        failsWith('SINK_LOST', /^Cannot commit to 127\.0\.0\.1:\d+\/test_\d+: Connection terminated unexpectedly$/),
      )
      await cut
      await writer.close()
      const next = await open()
      equal(next.checkpoint?.epoch, kept)
      await loadFrom(next)
      await next.close()
      equal(await digestOf(server, database), undisturbed)
    })

    it(`F9: loads all, each once, when each commit is cut ${side} it once`, async () => {
      const cut = new Set<number>()
      const losses = await loadThrough((epoch) => {
        if (!cut.has(epoch)) void proxy.cutAround(side)
        cut.add(epoch)
      })
      equal(losses.length, EPOCHS)
      equal(await digestOf(server, database), undisturbed)
    })
  }

  it('F34: loads all, each once, with the connection cut after any number of bytes', async () => {
    const random = randomOf('cut-after')
    for (let round = 0; round < 4; round += 1) {
      database = await server.createDatabase()
      let cuts = 0
      await loadThrough(() => {
        cuts += 1
        if (cuts < 8) proxy.cutAfter(Math.floor(random() * 25_000))
      })
      equal(await digestOf(server, database), undisturbed)
    }
  })

  it('F34: loads all, each once, when connections are reset', async () => {
    const losses = await loadThrough((epoch) => {
      if (epoch === 4 && proxy.connections < 4) setImmediate(() => proxy.reset())
    })
    equal(losses.length, 1)
    equal(await digestOf(server, database), undisturbed)
  })

  it('F34: says that nobody listens', async () => {
    await proxy.refuse()
    await rejects(open(), failsWith('SINK_LOST', /^Cannot open 127\.0\.0\.1:\d+\/test_\d+: connect ECONNREFUSED /))
  })

  for (const mode of ['stall', 'half'] as const) {
    it(`F16, F34: gives up a connection on which nothing moves (${mode}), and goes on over another`, async () => {
      let isFirst = true
      const losses = await loadThrough(
        (epoch) => {
          if (epoch === 3 && isFirst) proxy.mode = mode
          isFirst &&= epoch !== 3
        },
        { timeoutMs: 1500 },
      )
      ok(/: no byte has moved for 1\.5 s$/.test(losses[0] ?? ''), losses[0])
      equal(await digestOf(server, database), undisturbed)
    })
  }

  it('F16: does not wait for ever for a server that takes connections and says nothing', async () => {
    proxy.mode = 'stall'
    await rejects(open({ timeoutMs: 300 }), failsWith('SINK_LOST', /timeout expired$/))
  })

  it('F15: does not give up a transfer that is slow, but moves', async () => {
    const writer = await open({ timeoutMs: 2000 })
    const large = Array.from({ length: 1500 }, (_, id) => ({ id, text: 'x'.repeat(300) }))
    proxy.bytesPerSecond = 120_000
    const started = performance.now()
    deepEqual(await writer.write(events(large)), [])
    proxy.bytesPerSecond = Number.POSITIVE_INFINITY
    await writer.commit(checkpoint(1))
    await writer.close()
    ok(performance.now() - started > 3000, 'it was slow')
    ok((await digestOf(server, database)).startsWith('1500 rows'))
  })

  it('F15: does not give up a server that is at work without a word', async () => {
    const writer = await open({ timeoutMs: 1000 })
    await server.query(
      database,
      `
      create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.6); return new; end $$;
      create trigger slow before insert on t for each row execute function slow()`,
    )
    deepEqual(await writer.write(range(0, 3)), [])
    await writer.commit(checkpoint(1))
    await writer.close()
    ok((await digestOf(server, database)).startsWith('3 rows'))
  })

  it('F34: does not end the process with a connection that is lost while nobody waits for it', async () => {
    const own = clientSockets()
    const writer = await open()
    own.stop()
    await writer.write(range(0, 10))
    proxy.cut()
    await until(() => own.sockets.every(({ closed }) => closed), 'the end of its connections')
    await rejects(async () => writer.renewLease?.(), failsWith('SINK_LOST', /^Cannot reach /))
    await rejects(async () => writer.write(range(0, 10)), failsWith('SINK_LOST', /^Cannot reach /))
    await rejects(async () => writer.commit(checkpoint(1)), failsWith('SINK_LOST', /^Cannot reach /))
    await writer.close()
  })
})
