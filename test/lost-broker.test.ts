import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import {
  checkpointed,
  isSluiceError,
  lines,
  pipeline,
  type SluiceError,
  startPipeline,
  type TwoPhaseSink,
  type TwoPhaseWriter,
} from 'sluice'
import { natsSink } from 'sluice/nats'
import { exitCodeOf } from '../src/cli/exit.ts'
import { type ServerProcess, startNats, without } from './support/brokers.ts'
import { upTo } from './support/live-load.ts'

/** So many lines are committed by a first run; as many come behind them. */
const HALF = 1000
/** With this line the server goes away: some of those before it are published, and not committed. */
const LOST_AT = '1700'

describe('the broker of a sink that goes away', { skip: without('nats-server') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-lost-broker-'))
  let server: ServerProcess
  let client: NatsConnection
  let manager: JetStreamManager
  before(async () => {
    server = await startNats()
    await meet()
  })
  after(async () => {
    await client?.close()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const meet = async (): Promise<void> => {
    await client?.close()
    client = await connect({ servers: `127.0.0.1:${server.port}` })
    manager = await jetstreamManager(client)
  }
  const numbersIn = async (name: string): Promise<number[]> => {
    const { state } = await manager.streams.info(name)
    const numbers: number[] = []
    for (let seq = 1; seq <= state.last_seq; seq += 1) {
      const message = await manager.streams.getMessage(name, { seq })
      if (message !== null) numbers.push(Number(Buffer.from(message.data).toString()))
    }
    return numbers.sort((a, b) => a - b)
  }

  /** A load of lines of which a first half is committed, into a stream that is made; it kills the server once. */
  const halfLoaded = async (name: string, id?: (line: string) => string) => {
    await manager.streams.add({ name, subjects: [name] })
    const more = id === undefined ? {} : { id }
    const sink = natsSink<string>(`nats://127.0.0.1:${server.port}`, { subject: name, payload: String, ...more })
    let isKilled = false
    const killing: TwoPhaseSink<string> = {
      ...sink,
      open: async (options) => {
        const writer = await sink.open(options)
        const write: TwoPhaseWriter<string>['write'] = async (rows) => {
          const at = rows.values().indexOf(LOST_AT)
          if (at < 0 || isKilled) return await writer.write(rows)
          isKilled = true
          await writer.write(rows.slice(0, at))
          await server.kill()
          return await writer.write(rows.slice(at))
        }
        const { prepare, publish, close } = writer
        return { write, prepare: prepare.bind(writer), publish: publish.bind(writer), close: close.bind(writer) }
      },
    }
    const path = join(folder, `${name}.log`)
    const job = pipeline(name, {
      from: () => lines(path),
      into: () => checkpointed(killing, { store: join(folder, `${name}.db`) }),
    })
    writeFileSync(path, `${upTo(HALF).join('\n')}\n`)
    await (await startPipeline(job)).done
    writeFileSync(path, `${upTo(2 * HALF).join('\n')}\n`)
    return job
  }

  it('is tried again for retryMs, from the last commit; each attempt is reported', async () => {
    const job = await halfLoaded('back')
    const told: unknown[] = []
    const run = await startPipeline(job, {
      onEvent: (event) => {
        if (event.kind !== 'retrying') return
        told.push(isSluiceError(event.error) ? event.error.code : event.error)
        if (told.length === 1) server.start().catch(() => {}) // The run then fails.
      },
    })
    const { outcome, run: totals, overall } = await run.done
    deepEqual([outcome, totals.loaded, overall.loaded], ['finished', HALF, 2 * HALF])
    ok(told.length > 0 && told.every((code) => code === 'SINK_LOST'), `reported ${told.join()}`)
    await meet()
    const numbers = await numbersIn('back')
    deepEqual([...new Set(numbers)], upTo(2 * HALF))
    ok(numbers.length > 2 * HALF, 'without ids what was published and not committed came twice')
  })

  it('ends the run once retryMs is over; the next goes on from the last commit, and ids let nothing in twice', async () => {
    const job = await halfLoaded('again', (line) => line)
    const run = await startPipeline(job, { retryMs: 0 })
    await rejects(run.done, (error: SluiceError) => {
      deepEqual([error.code, (error.cause as SluiceError).code], ['SINK_UNREACHABLE', 'SINK_LOST'])
      equal(exitCodeOf(error), 69)
      return true
    })
    await server.start()
    await meet()
    ok((await numbersIn('again')).length > HALF, 'some were published that are not committed')
    const { run: totals, overall } = await (await startPipeline(job)).done
    deepEqual([totals.loaded, overall.loaded], [HALF, 2 * HALF])
    deepEqual(await numbersIn('again'), upTo(2 * HALF))
  })
})
