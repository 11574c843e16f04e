import { equal, ok, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { isSluiceError, pipeline, type Source, startPipeline, valuesSource } from 'sluice'
import { postgresSink, postgresSource } from 'sluice/postgres'

/** What a PostgreSQL says to everybody while it starts up. */
function startingUp(): Buffer {
  const text = ['SFATAL', 'VFATAL', 'C57P03', 'Mthe database system is starting up']
    .map((field) => `${field}\0`)
    .join('')
  const body = Buffer.from(`${text}\0`)
  const head = Buffer.from('E\0\0\0\0')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

type Answer = (socket: Socket) => void
const ANSWERS: Readonly<Record<string, Answer>> = {
  'is starting up': (socket) => socket.once('data', () => socket.end(startingUp())),
  'hangs up': (socket) => socket.destroy(),
}

/** Counts the connections that a run makes to a server until it gives up, in clock milliseconds. */
async function attempts(answer: Answer, run: (url: string) => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  const server = createServer((socket) => {
    times.push(performance.now())
    socket.on('error', () => {})
    answer(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await run(`postgres://u@127.0.0.1:${(server.address() as AddressInfo).port}/db`)
  } finally {
    server.close()
  }
  return times
}

const gapsOf = (times: readonly number[]): number[] => times.slice(1).map((time, at) => time - (times[at] ?? 0))

describe('A database that is not there yet', { concurrency: true }, () => {
  for (const [name, answer] of Object.entries(ANSWERS)) {
    it(`S24: is asked by a sink no more than once a second, and given up in time: it ${name}`, async () => {
      const retries: number[] = []
      let told = 0
      const times = await attempts(answer, async (url) => {
        const job = pipeline('late', {
          from: () => valuesSource([{ n: 1 }]),
          into: () => postgresSink<{ n: number }>(url, { table: 't', columns: { n: 'integer' } }),
        })
        const onEvent = (event: { kind: string; waitMs?: number }): void => void retries.push(event.waitMs ?? 0)
        await rejects(startPipeline(job, { retryMs: 5000, onEvent }), (error) => {
          if (!isSluiceError(error, 'SINK_UNREACHABLE')) return false
          told = error.details.attempts
          return true
        })
      })
      equal(told, times.length)
      ok(times.length >= 2 && times.length <= 5, `${times.length} attempts`)
      ok(
        gapsOf(times).every((gap) => gap >= 1000),
        `${gapsOf(times)}`,
      )
      equal(retries.length, times.length - 1)
    })

    it(`S24: is asked by a source no more than once a second, and given up in time: it ${name}`, async () => {
      const times = await attempts(answer, async (url) => {
        const source: Source<object> = postgresSource(url, { table: 't', cursor: 'id', retryMs: 5000 })
        const [split] = await source.splits()
        await rejects(
          async () => await source.open(split ?? { id: 't' }, undefined),
          (error) => isSluiceError(error, 'SOURCE_UNREADABLE'),
        )
      })
      ok(times.length >= 2 && times.length <= 5, `${times.length} attempts`)
      ok(
        gapsOf(times).every((gap) => gap >= 1000),
        `${gapsOf(times)}`,
      )
    })
  }
})
