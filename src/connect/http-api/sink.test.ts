import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import { isSluiceError } from '../../base/errors.ts'
import { until } from '../../testing/until.ts'
import { type Batch, batchOf } from '../batch.ts'
import type { TwoPhaseWriter } from '../sink.ts'
import { type HttpSinkOptions, httpSink } from './sink.ts'

interface Request {
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly atMs: number
}

const servers: Server[] = []
after(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server that answers as told, and writes down what it was sent. */
async function serve(
  answer: (request: Request, response: ServerResponse, count: number) => void,
): Promise<{ url: string; requests: Request[]; server: Server }> {
  const requests: Request[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const request = { headers: incoming.headers, body: Buffer.concat(chunks).toString(), atMs: performance.now() }
      requests.push(request)
      answer(request, response, requests.length)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/rows`, requests, server }
}

const end =
  (status: number, body = '', headers: Record<string, string> = {}) =>
  (_: Request, response: ServerResponse) =>
    void response.writeHead(status, headers).end(body)

function events(...values: unknown[]): Batch {
  return batchOf(values, { at: (at) => ({ source: 'a.log', line: at + 1, offset: at * 10, raw: '' }) })
}

async function open(
  url: string,
  options: HttpSinkOptions = {},
  signal?: AbortSignal,
): Promise<TwoPhaseWriter<unknown>> {
  const opening = { pipeline: 'p', note: undefined, epoch: 0 }
  return await httpSink<unknown>(url, options).open(signal === undefined ? opening : { ...opening, signal })
}

/** What hangs fails: nothing else takes as long, on a busy machine either. */
const LIMIT = { timeout: 60_000 }

const idsOf = ({ body }: Request): number[] => JSON.parse(body).map(({ id }: { id: number }) => id)

describe('http', { concurrency: true }, () => {
  it('posts rows in batches, each row with the place of its record', async () => {
    const { url, requests } = await serve(end(200))
    const writer = await open(url, { batchRows: 2, concurrency: 1 })
    deepEqual(await writer.write(events({ id: 1 }, { id: 2 }, 'x')), [])
    deepEqual(
      requests.map(({ body }) => JSON.parse(body)),
      [
        [
          { _source: 'a.log', _offset: 0, _part: 0, id: 1 },
          { _source: 'a.log', _offset: 10, _part: 0, id: 2 },
        ],
        [{ _source: 'a.log', _offset: 20, _part: 0, value: 'x' }],
      ],
    )
    equal(requests[0]?.headers['content-type'], 'application/json')
  })

  it('posts lines of JSON where it is asked to, as the rows are', async () => {
    const { url, requests } = await serve(end(204))
    const writer = await open(url, { format: 'ndjson', identity: false })
    await writer.write(events({ id: 1 }, [2], 3n))
    deepEqual([requests[0]?.body, requests[0]?.headers['content-type']], ['{"id":1}\n[2]\n3\n', 'application/x-ndjson'])
  })

  it('cuts batches by bytes, and sends a larger row alone', async () => {
    const { url, requests } = await serve(end(200))
    const writer = await open(url, { batchBytes: 50, identity: false, concurrency: 1 })
    await writer.write(events({ id: 1 }, { id: 2 }, { id: 3, text: 'x'.repeat(100) }, { id: 4 }))
    deepEqual(requests.map(idsOf), [[1, 2], [3], [4]])
  })

  it('sends no more requests at a time than it may', async () => {
    const held: ServerResponse[] = []
    const { url, requests } = await serve((_, response) => void held.push(response))
    const { url: elsewhere } = await serve(end(200))
    const writer = await open(url, { batchRows: 1, concurrency: 3 })
    const written = writer.write(events(...Array.from({ length: 12 }, (_, id) => ({ id }))))
    for (let round = 1; round <= 4; round += 1) {
      await until(() => held.length >= 3, 'three requests')
      // Long enough for a fourth one: others are sent and answered meanwhile, one after the other.
      for (let others = 0; others < 3; others += 1) await (await fetch(elsewhere)).text()
      equal(held.length, 3)
      for (const response of held.splice(0)) response.end()
    }
    deepEqual([await written, requests.length], [[], 12])
  })

  it('S23: sends the same key with every attempt, and another with every request', async () => {
    const { url, requests } = await serve((_, response, count) => response.writeHead(count === 1 ? 503 : 200).end())
    const writer = await open(url, { keyHeader: 'x-key' })
    await writer.write(events({ id: 1 }))
    await writer.write(events({ id: 1 }))
    await writer.prepare(1)
    await writer.write(events({ id: 1 }))
    const keys = requests.map(({ headers }) => headers['x-key'])
    equal(keys.length, 4)
    equal(keys[0], keys[1])
    equal(new Set(keys).size, 3)
    match(String(keys[0]), /^[0-9a-f]{64}$/)
  })

  it('gives the key of an earlier run to no other rows', async () => {
    const { url, requests } = await serve(end(200))
    await (await open(url)).write(events({ id: 1 }))
    await (await open(url)).write(events({ id: 1 }))
    await (await open(url)).write(events({ id: 1 }, { id: 2 }))
    const keys = requests.map(({ headers }) => headers['idempotency-key'])
    equal(keys[0], keys[1])
    equal(new Set(keys).size, 2)
  })

  it('comes back no sooner than the server says', async () => {
    const { url, requests } = await serve((_, response, count) =>
      response.writeHead(count === 1 ? 429 : 200, { 'retry-after': '2' }).end(),
    )
    const writer = await open(url)
    await writer.write(events({ id: 1 }))
    const [first, second] = requests.map(({ atMs }) => atMs) as [number, number]
    ok(second - first >= 1990, `${second - first} ms`)
  })

  it('gives up at once when the server wants to be left alone for longer than it may try', async () => {
    const { url, requests } = await serve(end(503, '', { 'retry-after': '3600' }))
    const writer = await open(url)
    await rejects(
      async () => await writer.write(events({ id: 1 })),
      (error) => {
        ok(isSluiceError(error, 'SINK_UNREACHABLE'))
        match(
          error.message,
          /^Cannot send rows to http:\/\/127\.0\.0\.1:\d+: 1 attempt failed, the last with: it answered 503$/,
        )
        equal(error.details.attempts, 1)
        return true
      },
    )
    equal(requests.length, 1)
    await rejects(
      async () => await writer.write(events({ id: 1 })),
      (error) => isSluiceError(error, 'SINK_UNREACHABLE'),
    )
  })

  it('S24: asks a server that refuses connections once a second, and gives up after its time', LIMIT, async () => {
    const { url, server } = await serve(end(200))
    await new Promise((resolve) => server.close(resolve))
    const writer = await open(url, { batchRows: 1, concurrency: 4, retryMs: 2500 })
    const refused = writer.write(events({ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }))
    await rejects(
      async () => await refused,
      (error) => {
        ok(isSluiceError(error, 'SINK_UNREACHABLE'))
        match(error.message, /\d attempts? failed, the last with: .*ECONNREFUSED/)
        ok(error.details.attempts <= 4)
        return true
      },
    )
  })

  it('makes dead letters of all rows of a request that is refused, with status and answer', async () => {
    const { url } = await serve(end(422, '{"error":\n "no such\tcolumn"}'))
    const letters = await (await open(url)).write(events({ id: 1 }, { id: 2 }))
    deepEqual(
      letters.map(({ origin, step, reason }) => [origin.offset, step, reason]),
      [
        [0, 'http', 'rejected with 422: {"error": "no such column"}'],
        [10, 'http', 'rejected with 422: {"error": "no such column"}'],
      ],
    )
  })

  it('shows the beginning of a long answer, and does not wait for its end', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(400)
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(65_536), more)
      }
      more()
    })
    const letters = await (await open(url)).write(events({ id: 1 }))
    equal(letters[0]?.reason, `rejected with 400: ${'x'.repeat(200)}…`)
  })

  it('finds the refused rows by halving, where it is asked to', async () => {
    const { url, requests } = await serve((request, response) => {
      response.writeHead(idsOf(request).some((id) => id % 5 === 3) ? 400 : 200).end('bad id')
    })
    const writer = await open(url, { bisect: true })
    const letters = await writer.write(events(...Array.from({ length: 10 }, (_, id) => ({ id }))))
    deepEqual(
      letters.map(({ origin }) => origin.offset),
      [30, 80],
    )
    const keys = requests.map(({ headers }) => headers['idempotency-key'])
    equal(new Set(keys).size, keys.length)
  })

  it('halves what is too large in any case', async () => {
    const { url, requests } = await serve((request, response) =>
      response.writeHead(idsOf(request).length > 2 ? 413 : 200).end(),
    )
    deepEqual(await (await open(url)).write(events({ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 })), [])
    deepEqual(requests.map(idsOf), [
      [1, 2, 3, 4],
      [1, 2],
      [3, 4],
    ])
  })

  for (const status of [401, 403, 404, 405, 410]) {
    it(`buries no rows for ${status}, which is not of them: it stops`, async () => {
      const { url, requests } = await serve(end(status, 'no'))
      const writer = await open(url, { bisect: true })
      await rejects(
        async () => await writer.write(events({ id: 1 }, { id: 2 })),
        (error) => {
          ok(isSluiceError(error, 'SINK_UNREACHABLE'))
          match(error.message, new RegExp(`it answered ${status}: no$`))
          return true
        },
      )
      equal(requests.length, 1)
    })
  }

  it('follows no redirection, and says where it leads', async () => {
    const { url } = await serve(end(302, '', { location: 'https://elsewhere.example/token/s3cret' }))
    const writer = await open(url)
    await rejects(
      async () => await writer.write(events({ id: 1 })),
      /it answered 302, to go to https:\/\/elsewhere\.example$/,
    )
  })

  it('waits for an answer as long as it may, and then tries again', async () => {
    const { url, requests } = await serve((_, response, count) => {
      if (count > 1) response.end()
    })
    const writer = await open(url, { timeoutMs: 1000 })
    deepEqual(await writer.write(events({ id: 1 })), [])
    ok(requests.length > 1)
  })

  it('takes rows for sent when the answer breaks off behind its status', async () => {
    const { url, requests } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('x', () => response.destroy())
    })
    deepEqual(await (await open(url)).write(events({ id: 1 })), [])
    equal(requests.length, 1)
  })

  it('stops at once when it is aborted', async () => {
    const stop = new AbortController()
    const { url } = await serve(() => stop.abort(new Error('enough')))
    const writer = await open(url, {}, stop.signal)
    await rejects(async () => await writer.write(events({ id: 1 })), /enough/)
    await writer.close()
  })

  it('S14: tells no secret, whatever fails', async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(400).end(`bad: ${request.headers.authorization} ${request.headers['x-key']}`)
    })
    const withSecrets = url.replace('http://', 'http://ann:hunter22@').replace('/rows', '/hook?token=hunter22')
    const sink = httpSink(withSecrets, { headers: { 'x-key': 'hunter22' } })
    equal(sink.title.includes('hunter22'), false)
    const writer = await open(withSecrets, { headers: { 'x-key': 'hunter22' } })
    const [letter] = await writer.write(events({ id: 1 }))
    match(letter?.reason ?? '', /^rejected with 400: bad: \*\*\* \*\*\*$/)
    const dead = await open('http://ann:hunter22@127.0.0.1:1/hunter22', { retryMs: 0 })
    await rejects(
      async () => await dead.write(events({ id: 1 })),
      (error) => {
        ok(isSluiceError(error, 'SINK_UNREACHABLE'))
        return !JSON.stringify([error.message, error.details, error.stack, error.cause]).includes('hunter22')
      },
    )
  })

  it('makes dead letters of rows that are not valid JSON, and sends the others', async () => {
    const { url, requests } = await serve(end(200))
    const letters = await (await open(url)).write(events({ id: 1 }, { id: Number.NaN }, { id: 3 }))
    deepEqual(
      letters.map(({ reason }) => reason),
      ['JSON has no form for NaN'],
    )
    deepEqual(requests.map(idsOf), [[1, 3]])
  })

  it('refuses invalid options', () => {
    for (const bad of [{ method: 'GET' }, { format: 'xml' }, { concurrency: 0 }, { keyHeader: 'a b' }, { batch: 1 }]) {
      throws(() => httpSink('http://x', bad as never), /Error/)
    }
  })
})
