import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { json, type Position, type SplitReader, textLines } from 'sluice'
import { type WebSocketSourceOptions, webSocketSource } from 'sluice/websocket'
import { type WebSocket, WebSocketServer } from 'ws'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { sluice } from './support/cli.ts'
import { misplaced, numbersIn, upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'
import { take } from './support/take.ts'
import { until, untilNoted } from './support/until.ts'

const folder = tempFolder('sluice-web-socket-')

type OnSocket = (socket: WebSocket, request: IncomingMessage) => void

describe(`webSocketSource (REPRO: SEED=${SEED} npm test)`, () => {
  const servers: WebSocketServer[] = []
  const open: SplitReader<unknown>[] = []
  afterEach(async () => {
    for (const reader of open.splice(0)) await reader.close()
    for (const server of servers.splice(0)) await stopped(server)
  })
  const stopped = async (server: WebSocketServer) => {
    for (const client of server.clients) client.terminate()
    await new Promise((resolve) => server.close(resolve))
  }
  /** A server that does something with each connection: the first one, the second one, and so on. */
  const serving = async (...onSockets: OnSocket[]) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    servers.push(server)
    const atMs: number[] = []
    server.on('connection', (socket, request) => {
      atMs.push(performance.now())
      socket.on('error', () => {}) // Whoever reads may break off whenever it likes.
      onSockets[Math.min(atMs.length, onSockets.length) - 1]?.(socket, request)
    })
    await once(server, 'listening')
    return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/feed`, server, atMs }
  }
  /** A server of HTTP alone. */
  const answering = async (status: number) => {
    const server = createServer((_request, response) => void response.writeHead(status).end())
    server.on('upgrade', (_request, socket) => void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
  }
  const reading = async (
    url: string,
    options: WebSocketSourceOptions<string, string> = {},
    onNote: (note: string) => void = () => {},
    from?: Position,
  ) => {
    const reader = await webSocketSource(url, textLines(), options).open({ id: 'messages' }, from, { onNote })
    open.push(reader)
    return reader
  }
  /** Resolves once a connection over which nothing comes was given up for that. */
  const silence = async (idleMs: number) => {
    const notes: string[] = []
    const { url } = await serving((socket) => socket.pause())
    await reading(url, { idleMs }, (note) => notes.push(note))
    await untilNoted(notes, /broke \(nothing came for /)
  }
  it('gives messages with what came with them, and makes dead letters of others', async () => {
    const { url } = await serving((socket) => {
      socket.send('{"t":20}')
      socket.send(Buffer.from('{"t":21}'))
      socket.send('{')
    })
    const event = ({ t }: { t: number }, { isBinary }: { isBinary: boolean }) => `${t} ${isBinary}`
    const reader = await webSocketSource(url, json<{ t: number }>(), { event }).open({ id: 'messages' }, undefined)
    open.push(reader)
    const found: string[] = []
    while (found.length < 3) {
      for (const entry of (await readEntries(reader, 10)) ?? []) {
        found.push(entry.kind === 'event' ? entry.value : `${entry.step} at ${entry.origin.offset}`)
      }
    }
    deepEqual(found, ['20 false', '21 true', 'json at 2'])
    deepEqual(reader.position(), { count: 3 })
  })

  it('sends headers, protocols and greetings with each connection', async () => {
    const seen: string[] = []
    const greet: OnSocket = (socket, { headers }) => {
      seen.push(String(headers.authorization), socket.protocol)
      socket.on('message', (data) => {
        seen.push(String(data))
        socket.send(`hello ${data}`)
        if (seen.length === 3) socket.close(1001, 'going away')
      })
    }
    const { url } = await serving(greet)
    const names = ['ann', 'bob']
    const reader = await reading(url, {
      headers: { authorization: 'Bearer t' },
      protocols: ['feed'],
      greeting: async () => [`login ${names.shift()}`],
    })
    deepEqual(await take(reader, 2), ['hello login ann', 'hello login bob'])
    deepEqual(seen, ['Bearer t', 'feed', 'login ann', 'Bearer t', 'feed', 'login bob'])
  })

  it('connects again when the connection breaks before the greeting is there', async () => {
    const { url } = await serving(
      (socket) => socket.terminate(),
      (socket) => socket.on('message', (data) => socket.send(`hello ${data}`)),
    )
    let calls = 0
    const greeting = async () => {
      calls += 1
      // The first one never comes.
      if (calls === 1) await new Promise(() => {})
      return ['ann']
    }
    deepEqual(await take(await reading(url, { greeting }), 1), ['hello ann'])
  })

  it('ends the wait for a greeting or for headers with the reason of the signal', async () => {
    const { url, server } = await serving(() => {})
    for (const what of ['greeting', 'headers']) {
      const asked = Promise.withResolvers<void>()
      const never = () => {
        asked.resolve()
        return new Promise<never>(() => {})
      }
      const stop = new AbortController()
      const source = webSocketSource(url, textLines(), { [what]: never })
      const reason = new Error('stopped')
      const ended = rejects(source.open({ id: 'messages' }, undefined, { signal: stop.signal }), reason)
      await asked.promise
      stop.abort(reason)
      await ended
    }
    await until(() => server.clients.size === 0, 'the end of the connections')
  })

  it('connects again when the connection ends or breaks, and says so; not before a second has passed', async () => {
    const { url, atMs } = await serving(
      (socket) => socket.send('a', () => socket.close(1001, 'back soon')),
      (socket) => socket.send('b', () => socket.terminate()),
      (socket) => socket.send('c'),
    )
    const notes: string[] = []
    const reader = await reading(url, {}, (note) => notes.push(note))
    deepEqual(await take(reader, 3), ['a', 'b', 'c'])
    ok((atMs[1] ?? 0) - (atMs[0] ?? 0) >= 990, 'the server is left alone for a while')
    await untilNoted(
      notes,
      /^the connection to ws:\/\/127\.0\.0\.1:\d+ broke \(the server ended it with 1001, "back soon"\): /,
    )
    await untilNoted(notes, /broke \(the server ended it with 1006\)/)
  })

  it('does not read on while enough waits, and loses nothing', async () => {
    const count = 20_000
    let socket: WebSocket | undefined
    const { url, atMs } = await serving((one) => {
      socket = one
      for (let n = 1; n <= count; n += 1) one.send(`${n} ${'x'.repeat(1000)}`)
    })
    const notes: string[] = []
    const reader = await reading(url, { idleMs: 800 }, (note) => notes.push(note))
    await silence(1000)
    ok((socket?.bufferedAmount ?? 0) > 0, 'all was taken, though nobody asked')
    deepEqual(notes, [], 'waiting for room is no silence')
    const found = await take(reader, count)
    equal(misplaced(found.map((text) => Number(text.split(' ', 1)[0]))), undefined)
    equal(atMs.length, 1)
  })

  it('connects again where nothing comes, not even the answer to a ping', async () => {
    let pings = 0
    const { url, atMs } = await serving(
      // Nothing is read, so no ping is answered.
      (socket) => socket.send('a', () => socket.pause()),
      (socket) => {
        socket.on('ping', () => (pings += 1))
        socket.send('b')
      },
    )
    const notes: string[] = []
    const reader = await reading(url, { idleMs: 1000 }, (note) => notes.push(note))
    deepEqual(await take(reader, 2), ['a', 'b'])
    await untilNoted(notes, /broke \(nothing came for 1000 ms\)/)
    // In place of the third one it would be given up.
    await until(() => pings > 3, 'more pings')
    equal(atMs.length, 2, 'one that answers pings is not given up')
  })

  it('waits for a large message as long as something of it comes', async () => {
    const inParts: OnSocket = (socket, request) => {
      // Pings are not answered: that would be in the middle of the message. A part of it comes after each of them.
      socket.pong = () => {}
      request.socket.write(Buffer.from([0x82, 126, 0x03, 0xe8]))
      socket.on('ping', () => request.socket.write('x'.repeat(200)))
    }
    const { url, atMs } = await serving(inParts, (socket) => socket.send('another connection'))
    deepEqual(await take(await reading(url, { idleMs: 500 }), 1), ['x'.repeat(1000)])
    equal(atMs.length, 1)
  })

  it('S12: takes no message over the limit, and says what is lost', async () => {
    const { url } = await serving(
      (socket) => socket.send('x'.repeat(5000)),
      (socket) => socket.send('short'),
    )
    const notes: string[] = []
    const reader = await reading(url, { maxBytes: 1000 }, (note) => notes.push(note))
    deepEqual(await take(reader, 1), ['short'])
    await untilNoted(notes, /broke \(a message is over 1000 bytes \(maxBytes\), and is lost\)/)
  })

  it('ends when the server refuses: by a status, or a code after it has connected', async () => {
    const { url, server } = await answering(403)
    await rejects(reading(url), { code: 'SOURCE_UNREADABLE', message: /: it answered 403$/ })
    server.close()
    const { url: policy } = await serving((socket) => socket.close(1008, 'no such channel'))
    const reader = await reading(policy)
    await rejects(async () => await readEntries(reader, 1), {
      code: 'SOURCE_UNREADABLE',
      message: /: the server ended it with 1008, "no such channel"$/,
    })
  })

  it('tries a server that is busy or away again, for as long as it may', async () => {
    const { url, server } = await answering(503)
    await rejects(reading(url, { retryMs: 300 }), { code: 'SOURCE_UNREADABLE', message: /: it answered 503$/ })
    server.close()
    await rejects(reading(url, { retryMs: 100 }), { code: 'SOURCE_UNREADABLE', message: /ECONNREFUSED/ })
  })

  it('ends a wait with the reason of the signal, and lets go of the connection', async () => {
    const { url, server } = await serving((socket) => socket.send('a'))
    const stop = new AbortController()
    const reader = await webSocketSource(url, textLines()).open({ id: 'messages' }, undefined, { signal: stop.signal })
    await take(reader, 1)
    const waiting = reader.read(1)
    stop.abort(new Error('stopped'))
    await rejects(async () => await waiting, /stopped/)
    await reader.close()
    await until(() => server.clients.size === 0, 'the end of the connection')
  })

  it('goes on counting where an earlier run was, and refuses other positions', async () => {
    const { url } = await serving((socket) => socket.send('a'))
    const reader = await reading(url, {}, undefined, { count: 7 })
    await take(reader, 1)
    deepEqual(reader.position(), { count: 8 })
    await rejects(reading(url, {}, undefined, { count: -1 }), { code: 'POSITION_LOST' })
  })

  it('S14: shows no secret', async () => {
    const { url } = await serving((socket, { headers }) => socket.close(1008, String(headers.authorization)))
    const reader = await reading(url.replace('ws://', 'ws://ann:p%40ssword@'))
    await rejects(
      async () => await readEntries(reader, 1),
      (error: Error) => {
        const basic = Buffer.from('ann:p@ssword').toString('base64')
        ok(![basic, 'ssword'].some((one) => error.message.includes(one)), error.message)
        return true
      },
    )
    throws(
      () => webSocketSource('http://ann:hunter2@x', textLines()),
      /it takes an address of ws or wss, found the scheme http:/,
    )
    throws(() => webSocketSource('ws://x', textLines(), { greeting: [7 as never] }), { code: 'CONFIG_INVALID' })
  })

  it('reads over TLS what a server sends that it may trust, and nothing of others', async (test) => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2']
    const made = spawnSync('openssl', [...request, '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'])
    if (made.status !== 0) return test.skip('there is no openssl here')
    const https = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) })
    const server = new WebSocketServer({ server: https })
    servers.push(server)
    let [connections, pings] = [0, 0]
    server.on('connection', (socket) => {
      connections += 1
      socket.on('ping', () => (pings += 1))
      socket.send('a')
    })
    https.listen(0, '127.0.0.1')
    await once(https, 'listening')
    test.after(() => https.close())
    const url = `wss://127.0.0.1:${(https.address() as AddressInfo).port}`
    const reader = await reading(url, { tls: { ca: readFileSync(cert) }, idleMs: 500 })
    deepEqual(await take(reader, 1), ['a'])
    // In place of the third one it would be given up.
    await until(() => pings > 3, 'more pings')
    equal(connections, 1, 'what comes over TLS is heard')
    await rejects(reading(url, { retryMs: 0 }), { code: 'SOURCE_UNREADABLE', message: /self-signed certificate/ })
  })

  it('is loaded as it comes, and ends when it is told to', async () => {
    const out = join(folder, 'numbers.db')
    const { url } = await serving((socket) => {
      socket.on('message', (data) => {
        if (String(data) === 'all') for (const n of upTo(5000)) socket.send(JSON.stringify({ n }))
      })
    })
    const job = join(ROOT, 'test', 'jobs', 'web-socket.ts')
    const given = ['--param', `url=${url}`, '--param', `out=${out}`]
    const { code, stderr } = await sluice(['run', job, '--quiet', '--epoch-ms', '20', ...given], {
      onStart: (child) => {
        void until(() => numbersIn(out).length >= 5000, 'all numbers').finally(() => child.kill('SIGTERM'))
      },
    })
    equal(code, 0, stderr)
    deepEqual(numbersIn(out), upTo(5000))
  })

  it('loses what was not committed when it is killed, and nothing else; it doubles nothing', async () => {
    const out = join(folder, 'killed.db')
    let [sent, runs] = [0, 0]
    const [begun, random]: [number[], () => number] = [[], randomOf('web-socket')]
    const { url } = await serving((socket) => {
      begun.push(sent + 1)
      const timer = setInterval(() => {
        for (let one = 0; one < 5; one += 1) {
          sent += 1
          socket.send(JSON.stringify({ n: sent }))
        }
      }, 2)
      socket.on('close', () => clearInterval(timer))
    })
    const job = join(ROOT, 'test', 'jobs', 'web-socket.ts')
    const given = ['--param', `url=${url}`, '--param', `out=${out}`]
    /** The last number that was seen to be committed before each kill. */
    const seen: number[] = []
    for (; runs < 4; runs += 1) {
      const before = numbersIn(out).length
      const isLast = runs === 3
      const { code, signal, stderr } = await sluice(['run', job, '--quiet', '--epoch-ms', '20', ...given], {
        onStart: (child) => {
          void (async () => {
            await until(() => numbersIn(out).length > before, 'rows')
            await sleep(random() * 300)
            seen.push(numbersIn(out).at(-1) ?? 0)
            child.kill(isLast ? 'SIGTERM' : 'SIGKILL')
          })()
        },
      })
      ok(isLast ? code === 0 : signal === 'SIGKILL', stderr)
    }
    const numbers = numbersIn(out)
    deepEqual(numbers, [...new Set(numbers)], 'none is doubled')
    for (const [run, first] of begun.entries()) {
      const last = seen[run] ?? 0
      const found = numbers.filter((n) => n >= first && n <= last)
      deepEqual(
        found,
        upTo(last - first + 1).map((n) => n + first - 1),
        `run ${run + 1}: none is lost before the kill`,
      )
    }
  })
})
