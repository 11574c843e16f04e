import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { json, type Position, type SplitReader, type SseSourceOptions, sseSource, textLines } from 'sluice'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { loadOverKills, misplaced, upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'
import { take } from './support/take.ts'
import { until, untilNoted } from './support/until.ts'

const folder = tempFolder('sluice-sse-')

type Answer = (response: ServerResponse, request: IncomingMessage) => void

describe(`sseSource (REPRO: SEED=${SEED} npm test)`, () => {
  const servers: Server[] = []
  const open: SplitReader<unknown>[] = []
  afterEach(async () => {
    for (const reader of open.splice(0)) await reader.close()
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  })

  /** A server that gives each request the next answer, and the last one again and again. */
  const serving = async (...answers: Answer[]) => {
    const requests: IncomingMessage[] = []
    const atMs: number[] = []
    const server = createServer((request, response) => {
      requests.push(request)
      atMs.push(performance.now())
      answers[Math.min(requests.length, answers.length) - 1]?.(response, request)
    })
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, requests, atMs, server }
  }
  /** Sends a text as events, and nothing more; ends the stream if asked to. */
  const sends =
    (text: string, isOver = false): Answer =>
    (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
      response.write(text)
      if (isOver) response.end()
    }
  /** Sends events with the ids and data from 1 on, behind the one that is asked for. */
  const numbers =
    (count: number, breaksAfter = Number.POSITIVE_INFINITY): Answer =>
    async (response, { headers }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('retry: 10\n\n')
      const closed = once(response, 'close')
      const from = Number(headers['last-event-id'] ?? 0) + 1
      for (let n = from; n <= count && !response.destroyed; n += 1) {
        if (n - from >= breaksAfter) {
          // Not before all is on its way.
          response.write(':\n', () => response.socket?.destroy())
          return
        }
        if (!response.write(`id: ${n}\ndata: {"n":${n}}\n\n`)) await Promise.race([once(response, 'drain'), closed])
      }
    }
  const reading = async (
    url: string,
    options: SseSourceOptions<string, string> = {},
    from?: Position,
    onNote: (note: string) => void = () => {},
  ) => {
    const reader = await sseSource(url, textLines(), options).open({ id: 'events' }, from, { onNote })
    open.push(reader)
    return reader
  }
  /** Resolves once a connection over which nothing comes was given up for that. */
  const silence = async (idleMs: number) => {
    const notes: string[] = []
    const { url } = await serving(sends(':\n'))
    await reading(url, { idleMs }, undefined, (note) => notes.push(note))
    await untilNoted(notes, /broke \(nothing came for /)
  }
  it('R22: ends where the compressed stream is damaged, and does not ask for the same again', async () => {
    const packed = gzipSync(
      upTo(2000)
        .map((n) => `id: ${n}\ndata: ${n * 7919}\n\n`)
        .join(''),
    )
    packed.fill(0x5a, packed.length >> 1, (packed.length >> 1) + 40)
    const { url, requests } = await serving((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }).end(packed)
    })
    const reader = await reading(url)
    await rejects(take(reader, 2001), { code: 'SOURCE_UNREADABLE', message: /incorrect|invalid/ })
    equal(requests.length, 1)
  })

  it('gives events with what came with them, and makes dead letters of others', async () => {
    const { url, requests } = await serving(
      sends('event: t\nid: 1\ndata: {"t":20}\n\ndata: {\n\ndata: {"t":"x"}\n\ndata: "too long"\n\n'),
    )
    const event = ({ t }: { t: number }, { type, id }: { type: string; id: string }) => `${type} ${id} ${t.toFixed(1)}`
    const source = sseSource(url, json<{ t: number }>(), { event, maxBytes: 9, headers: { 'x-a': 'b' } })
    const reader = await source.open({ id: 'events' }, undefined)
    open.push(reader)
    const found: string[] = []
    while (found.length < 4) {
      for (const entry of (await readEntries(reader, 1)) ?? []) {
        found.push(entry.kind === 'event' ? entry.value : `${entry.step} at ${entry.origin.offset}`)
      }
    }
    deepEqual(found, ['t 1 20.0', 'json at 1', 'event at 2', 'json at 3'])
    deepEqual([requests[0]?.headers.accept, requests[0]?.headers['x-a']], ['text/event-stream', 'b'])
  })

  it('goes on behind the last event that came, when the stream ends or breaks', async () => {
    const notes: string[] = []
    const { url, requests } = await serving(numbers(10, 4))
    const reader = await reading(url, {}, undefined, (note) => notes.push(note))
    deepEqual(
      await take(reader, 10),
      upTo(10).map((n) => `{"n":${n}}`),
    )
    deepEqual(
      requests.map(({ headers }) => headers['last-event-id']),
      [undefined, '4', '8'],
    )
    match(
      notes.find((note) => note.includes(' broke ')) ?? '',
      /^the connection to http:\/\/127\.0\.0\.1:\d+ broke \(.*\): reconnecting$/,
    )
  })

  it('goes on behind the last event that was given, in a later run', async () => {
    const { url, requests } = await serving(numbers(10))
    const first = await reading(url)
    await take(first, 3)
    const position = JSON.parse(JSON.stringify(first.position()))
    deepEqual(position, { count: 3, after: '3' })
    await first.close()
    const second = await reading(url, {}, position)
    deepEqual(await take(second, 1), ['{"n":4}'])
    deepEqual(requests[1]?.headers['last-event-id'], '3')
    deepEqual(second.position(), { count: 4, after: '4' })
  })

  it('sends an id as UTF-8, and none that a header cannot hold', async () => {
    const { url, requests } = await serving(sends('id: ä☃\ndata: x\n\n', true), sends('data: y\n\n'))
    const reader = await reading(url)
    deepEqual(await take(reader, 2), ['x', 'y'])
    equal(Buffer.from(String(requests[1]?.headers['last-event-id']), 'latin1').toString(), 'ä☃')
    for (const after of ['a\r\nx-evil: 1', 7, 'x'.repeat(2000)]) {
      await rejects(reading(url, {}, { count: 1, after }), { code: 'POSITION_LOST' })
    }
  })

  it('leaves the server alone for as long as it asks for', async () => {
    const { url, atMs } = await serving(sends('retry: 400\ndata: a\n\n', true), sends('data: b\n\n'))
    deepEqual(await take(await reading(url), 2), ['a', 'b'])
    ok((atMs[1] ?? 0) - (atMs[0] ?? 0) >= 390)
  })

  it('S24: does not hammer a server that ends each stream at once', async () => {
    const { url, atMs } = await serving(sends('', true))
    await reading(url)
    await until(() => atMs.length > 2, 'three requests')
    const [first = 0, second = 0, third = 0] = atMs
    ok(second - first >= 990 && third - second >= 990, `requests at ${atMs.join(', ')} ms`)
  })

  it('comes again where the server is busy', async () => {
    const busy: Answer = (response) => response.writeHead(503, { 'retry-after': '1' }).end()
    const { url, atMs } = await serving(busy, sends('data: a\n\n'))
    deepEqual(await take(await reading(url), 1), ['a'])
    ok((atMs[1] ?? 0) - (atMs[0] ?? 0) >= 990)
  })

  it('ends when the server has nothing more', async () => {
    const { url } = await serving(sends('retry: 10\ndata: a\n\n', true), (response) => response.writeHead(204).end())
    deepEqual(await take(await reading(url), 5), ['a', 'the end'])
  })

  const refusals: [string, Answer, RegExp][] = [
    ['another status', (response) => response.writeHead(404).end(), /: it answered 404$/],
    ['a redirection', (response) => response.writeHead(302, { location: '/x' }).end(), /: it answered 302$/],
    [
      'other content',
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      /: it sends "text\/html", not text\/event-stream$/,
    ],
  ]
  for (const [what, answer, message] of refusals) {
    it(`says that it cannot read ${what}`, async () => {
      const { url } = await serving(answer)
      await rejects(reading(url), { code: 'SOURCE_UNREADABLE', message })
    })
  }

  it('says that there is no connection, in time', async () => {
    const { url, server } = await serving()
    server.close()
    await rejects(reading(url, { retryMs: 300 }), {
      code: 'SOURCE_UNREADABLE',
      message: /^Cannot read events of http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/,
    })
  })

  it('gives what has come before it says that the server refuses', async () => {
    const { url } = await serving(sends('retry: 10\ndata: a\n\n', true), (response) => response.writeHead(403).end())
    const reader = await reading(url)
    deepEqual(await take(reader, 1), ['a'])
    await rejects(async () => await readEntries(reader, 1), { code: 'SOURCE_UNREADABLE' })
  })

  it('connects again when nothing comes for too long, and not while comments do', async () => {
    let comments: NodeJS.Timeout | undefined
    const { url, requests } = await serving((response, request) => {
      sends('retry: 10\ndata: a\n\n')(response, request)
      comments = setInterval(() => response.write(':\n'), 50)
    }, sends('data: b\n\n'))
    const reader = await reading(url, { idleMs: 800 })
    deepEqual(await take(reader, 1), ['a'])
    await silence(1000).finally(() => clearInterval(comments))
    equal(requests.length, 1)
    deepEqual(await take(reader, 1), ['b'])
  })

  it('does not take it for silence that this process was held up', async () => {
    let answer: ServerResponse | undefined
    const { url, requests } = await serving((response, request) => {
      sends('data: a\n\n')(response, request)
      answer = response
    })
    const reader = await reading(url, { idleMs: 400 })
    deepEqual(await take(reader, 1), ['a'])
    answer?.write('data: b\n\n')
    const untilMs = performance.now() + 500
    while (performance.now() < untilMs);
    deepEqual(await take(reader, 1), ['b'])
    equal(requests.length, 1)
  })

  it('does not read on while enough waits, and loses nothing', async () => {
    const count = 40_000
    let sent = 0
    const { url, requests } = await serving(async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const closed = once(response, 'close')
      for (let n = 1; n <= count && !response.destroyed; n += 1) {
        sent = n
        if (!response.write(`data: ${n} ${'x'.repeat(500)}\n\n`)) await Promise.race([once(response, 'drain'), closed])
      }
    })
    const notes: string[] = []
    const reader = await reading(url, { idleMs: 800 }, undefined, (note) => notes.push(note))
    await until(() => sent > 4000, 'a full inbox')
    await silence(1000)
    ok(sent < count, `${sent} were sent`)
    deepEqual(notes, [], 'waiting for room is no silence')
    const found = await take(reader, count)
    equal(misplaced(found.map((text) => Number(text.split(' ', 1)[0]))), undefined)
    equal(requests.length, 1)
  })

  it('ends a wait with the reason of the signal, and lets go of the connection', async () => {
    const { url, server } = await serving(sends('data: a\n\n'))
    const stop = new AbortController()
    const reader = await sseSource(url, textLines()).open({ id: 'events' }, undefined, { signal: stop.signal })
    open.push(reader)
    await take(reader, 1)
    const waiting = reader.read(1)
    const reason = new Error('stopped')
    stop.abort(reason)
    await rejects(async () => await waiting, reason)
    await reader.close()
    const connections = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
    await until(async () => (await connections()) === 0, 'the end of the connection')
  })

  it('ends the wait for the first connection with the reason of the signal', async () => {
    const { url, requests } = await serving(() => {})
    const stop = new AbortController()
    const opening = sseSource(url, textLines()).open({ id: 'events' }, undefined, { signal: stop.signal })
    const reason = new Error('stopped')
    const ended = rejects(opening, reason)
    await until(() => requests.length > 0, 'a request')
    stop.abort(reason)
    await ended
  })

  it('S14: shows no secret', async () => {
    const { url } = await serving((response, { headers }) => {
      response.writeHead(200, { 'content-type': `text/plain ${headers.authorization}` }).end()
    })
    const secret = url.replace('http://', 'http://ann:p%40ssword@')
    await rejects(reading(`${secret}?key=s3cretkey`, { retryMs: 0 }), (error: Error) => {
      const basic = Buffer.from('ann:p@ssword').toString('base64')
      ok(![basic, 'ssword', 's3cretkey'].some((one) => error.message.includes(one)), error.message)
      return true
    })
    throws(() => sseSource('ftp://ann:hunter2@x', textLines()), /it takes an address of http or https/)
  })

  it('F1: is loaded exactly once, over kills and broken streams', async () => {
    const [out, count] = [join(folder, 'killed.db'), 30_000]
    const { url } = await serving(numbers(count, 2500))
    const job = join(ROOT, 'test', 'jobs', 'server-sent-events.ts')
    await loadOverKills({ job, params: { url, out }, out, count, kills: 4, random: randomOf('sse') })
  })
})
