import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  isSluiceError,
  json,
  type Position,
  type SplitReader,
  textLines,
  type WebhookSourceOptions,
  webhookSource,
} from 'sluice'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { freePort } from './support/brokers.ts'
import { noChromium, openBrowser } from './support/chromium.ts'
import { loadOverKills, upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'
import { take } from './support/take.ts'
import { until } from './support/until.ts'
import { answerOf as answered } from './support/watched.ts'

const folder = tempFolder('sluice-webhook-')

describe(`webhook (REPRO: SEED=${SEED} npm test)`, () => {
  const open: SplitReader<unknown>[] = []
  afterEach(async () => {
    for (const reader of open.splice(0)) await reader.close()
  })
  const listening = async (
    options: Partial<WebhookSourceOptions<string, string>> = {},
    from?: Position,
    signal?: AbortSignal,
  ) => {
    const bound = Promise.withResolvers<number>()
    const source = webhookSource({ port: 0, onListening: bound.resolve, ...options }, textLines())
    const reader = await source.open({ id: '' }, from, signal === undefined ? {} : { signal })
    open.push(reader)
    const url = `http://127.0.0.1:${await bound.promise}${options.path ?? '/'}`
    const post = async (
      body: string | Uint8Array<ArrayBuffer>,
      headers: Record<string, string> = {},
      method = 'POST',
    ) => {
      const response = await fetch(url, { method, headers, ...(method === 'POST' ? { body } : {}) })
      return `${response.status} ${(await response.text()).trim()}`
    }
    return { reader, post, url }
  }
  /** Undefined where no answer comes: nothing shows that none will, so long enough for one that would. */
  const answerOf = async (answer: Promise<string>) => await Promise.race([answer, sleep(100).then(() => undefined)])

  it('answers once what was posted is committed, and not before', async () => {
    const { reader, post } = await listening()
    const [one, two] = [post('one'), post('two')]
    const values = await take(reader, 1)
    const position = reader.position()
    values.push(...(await take(reader, 1)))
    deepEqual(values.sort(), ['one', 'two'])
    equal(await answerOf(Promise.race([one, two])), undefined)
    reader.acknowledge?.(position)
    equal(await Promise.race([one, two]), '202 committed')
    reader.acknowledge?.(reader.position())
    deepEqual(await Promise.all([one, two]), ['202 committed', '202 committed'])
  })

  it('gives once what is sent again with its key, in this run and in a later one', async () => {
    const first = await listening()
    const key = { 'idempotency-key': 'a' }
    const [one, again] = [first.post('one', key), first.post('one', key)]
    deepEqual(await take(first.reader, 1), ['one'])
    const position = JSON.parse(JSON.stringify(first.reader.position()))
    first.reader.acknowledge?.(first.reader.position())
    deepEqual(await Promise.all([one, again]), ['202 committed', '202 committed'])
    equal(await first.post('one', key), '202 committed')
    await first.reader.close()
    const second = await listening({}, position)
    equal(await second.post('one', key), '202 committed')
    void second.post('two').catch(() => {})
    deepEqual(await take(second.reader, 1), ['two'])
  })

  it('keeps no more keys than it is told to, and no names of its own', async () => {
    const { reader, post } = await listening({ remember: 2 })
    for (const name of ['a', 'b', 'c', '']) {
      const answer = post('x', name === '' ? {} : { 'idempotency-key': name })
      await take(reader, 1)
      reader.acknowledge?.(reader.position())
      await answer
    }
    deepEqual(reader.position(), { count: 4, pending: ['b', 'c'] })
  })

  it('F1: is loaded exactly once by a sender that sends again, over kills at random moments', async () => {
    const [port, out, count] = [await freePort(), join(folder, 'killed.db'), 1500]
    const left = upTo(count).reverse()
    const send = async () => {
      for (let n = left.pop(); n !== undefined; n = left.pop()) {
        for (;;) {
          try {
            const headers = { 'idempotency-key': `number-${n}` }
            const response = await fetch(`http://127.0.0.1:${port}/numbers`, {
              method: 'POST',
              headers,
              body: `{"n":${n}}`,
            })
            await response.text()
            if (response.status === 202) break
          } catch {
            // It is being killed, or started.
          }
          await sleep(20)
        }
      }
    }
    const sending = Promise.all(upTo(20).map(send))
    const params = { port: `${port}`, out }
    const job = join(ROOT, 'test', 'jobs', 'webhook.ts')
    await loadOverKills({ job, params, out, count, kills: 5, random: randomOf('webhook') })
    left.length = 0
    void sending.catch(() => {})
  })

  it('S10: refuses other methods, paths and hosts', async () => {
    const { post, url } = await listening({ path: '/in' })
    equal(await post('', {}, 'GET'), '405 only POST')
    equal((await fetch(url.replace('/in', '/other'), { method: 'POST', body: 'x' })).status, 404)
    const { port } = new URL(url)
    const status = await new Promise((resolve) => {
      const options = { host: '127.0.0.1', port, path: '/in', method: 'POST', headers: { host: 'evil.example' } }
      httpRequest(options, (response) => resolve(response.statusCode)).end('x')
    })
    equal(status, 421)
  })

  for (const options of [{}, { token: 'a long token' }] satisfies Partial<WebhookSourceOptions<string, string>>[]) {
    const guarded = 'token' in options ? 'with a token' : 'without one'
    it(`S10: takes nothing that a page of another site makes a browser send, ${guarded}`, async () => {
      const { reader, url } = await listening(options)
      const authorization = 'Bearer a long token'
      const { host } = new URL(url)
      const foreign: Record<string, string>[] = [
        { origin: 'http://evil.example' },
        { origin: 'null' },
        { origin: 'http://localhost:1' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: `http://${host}`, 'sec-fetch-site': 'cross-site' },
      ]
      for (const headers of foreign) {
        const { status } = await answered(url, { method: 'POST', headers: { authorization, ...headers }, body: 'x' })
        equal(status, 403, JSON.stringify(headers))
      }
      const own: Record<string, string>[] = [{}, { origin: `http://${host}` }, { 'sec-fetch-site': 'same-origin' }]
      for (const headers of own) {
        const answer = answered(url, { method: 'POST', headers: { authorization, ...headers }, body: 'own' })
        deepEqual(await take(reader, 1), ['own'])
        reader.acknowledge?.(reader.position())
        equal((await answer).status, 202)
      }
    })
  }

  it('S10: takes nothing that a browser sends for a page of another site', { skip: noChromium }, async () => {
    const { reader, post, url } = await listening()
    const form = `<form method=post enctype=text/plain action="${url}"><input name=a value=b></form>`
    const page = `${form}<script>
      fetch('${url}', { method: 'POST', mode: 'no-cors', body: 'fetched' })
        .catch(() => {})
        .then(() => document.forms[0].submit())
    </script>`
    const site = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(page)
    }).listen(0, '127.0.0.1')
    await once(site, 'listening')
    const browser = await openBrowser(['--host-resolver-rules=MAP evil.example 127.0.0.1'])
    try {
      const tab = await browser.newPage()
      await tab.goto(`http://evil.example:${(site.address() as AddressInfo).port}/`)
      // What the form is answered with takes the page's place.
      await tab.waitForURL(url)
      equal((await tab.textContent('body'))?.trim(), 'sent by a page of another site')
    } finally {
      await browser.close()
      site.close()
    }
    void post('own').catch(() => {})
    deepEqual(await take(reader, 1), ['own'])
  })

  it('S6: refuses what is compressed, in any nesting, and says what it takes', async () => {
    const { url } = await listening()
    for (const encoding of ['gzip', 'GZIP', 'gzip, gzip', 'br', 'zstd', 'deflate', 'identity, gzip']) {
      const headers = { 'content-encoding': encoding }
      const found = await answered(url, { method: 'POST', headers, body: 'x' })
      deepEqual([found.status, found.headers['accept-encoding']], [415, 'identity'], encoding)
    }
  })

  it('takes only what has the token, or is signed', async () => {
    const [token, secret] = ['a long token', 'a long secret']
    const { reader, post } = await listening({ token, signature: { header: 'X-Signature', secret } })
    const authorization = `Bearer ${token}`
    const sign = (body: string) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
    equal(await post('x'), '401 no token, or a wrong one')
    equal(await post('x', { authorization: 'Bearer a wrong token' }), '401 no token, or a wrong one')
    equal(
      await post('x', { authorization }),
      '401 not signed by HMAC-SHA256 of the body in hexadecimal, as GitHub signs',
    )
    equal(
      await post('x', { authorization, 'x-signature': sign('y') }),
      '401 not signed by HMAC-SHA256 of the body in hexadecimal, as GitHub signs',
    )
    const answer = post('x', { authorization, 'x-signature': sign('x') })
    deepEqual(await take(reader, 1), ['x'])
    reader.acknowledge?.(reader.position())
    equal(await answer, '202 committed')
  })

  it('S12: refuses bodies that are too long, announced or not', async () => {
    const { post, url } = await listening({ maxBytes: 1000 })
    equal(await post('x'.repeat(1001)), '413 over 1000 bytes')
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(Buffer.alloc(10_000)),
    })
    const endless = fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit)
    const outcome = await endless.then(
      ({ status }) => status,
      () => 'cut',
    )
    ok(outcome === 413 || outcome === 'cut', String(outcome))
    equal(await post('y'.repeat(2000)), '413 over 1000 bytes')
  })

  it('S12: holds 64 MiB of bodies under way, and lets those through that come at once', async () => {
    const signature = { header: 'x-signature', secret: 'a long secret' }
    const { reader, post, url } = await listening({ signature })
    const { port } = new URL(url)
    const size = 1024 * 1024
    const head = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n`
    const unending = Buffer.concat([Buffer.from(head), Buffer.alloc(size - 1, 'x')])
    let [answers, sent] = ['', 0]
    const begin = (count: number) =>
      upTo(count).map(() => {
        const socket = connect(Number(port), '127.0.0.1')
        socket.on('error', () => {})
        socket.on('data', (block) => {
          answers += String(block)
        })
        socket.write(unending, () => {
          sent += 1
        })
        return socket
      })
    const sockets = begin(100)
    const goneOf = () => answers.split('HTTP/1.1 429').length - 1
    // Those that began first made room.
    await until(() => sent >= 100 && goneOf() >= 36, 'word that there is no room')
    ok(goneOf() < 50, `${goneOf()} were sent away`)
    const body = 'signed'
    const hmac = createHmac('sha256', signature.secret).update(body).digest('hex')
    const answer = post(body, { 'x-signature': hmac })
    deepEqual(await take(reader, 1), [body])
    reader.acknowledge?.(reader.position())
    equal(await answer, '202 committed')
    for (const socket of sockets) socket.destroy()
    await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')))
    // What broke off takes no room.
    answers = ''
    const others = begin(50)
    await until(() => sent === 150, 'as many bodies as there is room for')
    equal(await post('x'), '401 not signed by HMAC-SHA256 of the body in hexadecimal, as GitHub signs')
    equal(goneOf(), 0)
    for (const socket of others) socket.destroy()
  })

  it('S12: lets only so many requests wait for their commit, over one connection, too', {
    timeout: 60_000,
  }, async () => {
    const { reader, url } = await listening()
    const one = 'POST / HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: same\r\nContent-Length: 1\r\n\r\nx'
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let answers = ''
    socket.on('data', (block) => {
      answers += String(block)
    })
    socket.write(one.repeat(12_000))
    deepEqual(await take(reader, 1), ['x'])
    // Answers come in the order of the requests: all of them once the first is committed.
    const countOf = (status: number) => answers.split(`HTTP/1.1 ${status} `).length - 1
    const committing = setInterval(() => reader.acknowledge?.(reader.position()), 200)
    await until(() => countOf(202) + countOf(429) === 12_000, 'all answers')
    clearInterval(committing)
    ok(countOf(202) >= 10_000, `${countOf(202)} were committed`)
    socket.destroy()
  })

  it('takes an empty key for none', async () => {
    const { reader, post } = await listening()
    const key = { 'idempotency-key': '' }
    const both = [post('one', key), post('two', key)]
    deepEqual((await take(reader, 2)).sort(), ['one', 'two'])
    reader.acknowledge?.(reader.position())
    deepEqual(await Promise.all(both), ['202 committed', '202 committed'])
  })

  // Node by itself would not before a minute is over.
  it('S12: cuts off who takes too long over the head of a request', { timeout: 45_000 }, async () => {
    const { url } = await listening()
    const { port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => {})
    socket.resume()
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\n')
    const timer = setInterval(() => socket.write('x-a: b\r\n'), 500)
    await closed
    clearInterval(timer)
  })

  it('tells senders to come again when enough waits, and when it is about to end', async () => {
    const stop = new AbortController()
    const { reader, post } = await listening({}, undefined, stop.signal)
    const body = 'x'.repeat(1_000_000)
    const posted = upTo(17).map(() => post(body).catch(() => 'cut'))
    const isTold = async () => (await answerOf(post('y').catch(() => ''))) === '429 too much is waiting: send it again'
    await until(isTold, 'word that too much waits')
    equal(await post('y'), '429 too much is waiting: send it again')
    stop.abort(new Error('stopped'))
    equal(await post('y'), '503 stopping: send it again')
    await reader.close()
    const answers = await Promise.all(posted)
    ok(
      answers.every((one) => /^(503|429) /.test(one) || one === 'cut'),
      answers.join(', '),
    )
  })

  it('makes dead letters of what is not in the format, and answers them, too', async () => {
    const bound = Promise.withResolvers<number>()
    const source = webhookSource(
      {
        port: 0,
        onListening: bound.resolve,
        event: (body: { n: number }, { headers }) => `${body.n} ${headers['x-from']}`,
      },
      json<{ n: number }>(),
    )
    const reader = await source.open({ id: '' }, undefined)
    open.push(reader)
    const url = `http://127.0.0.1:${await bound.promise}/`
    const first = fetch(url, { method: 'POST', body: '{', headers: { 'x-from': 'b' } })
    deepEqual(
      (await readEntries(reader, 1))?.map((entry) => (entry.kind === 'dead' ? entry.step : entry.value)),
      ['json'],
    )
    const second = fetch(url, { method: 'POST', body: '{"n":7}', headers: { 'x-from': 'a' } })
    deepEqual(
      (await readEntries(reader, 1))?.map((entry) => (entry.kind === 'dead' ? entry.step : entry.value)),
      ['7 a'],
    )
    reader.acknowledge?.(reader.position())
    deepEqual([(await first).status, (await second).status], [202, 202])
  })

  it('says that it cannot listen', async () => {
    const { url } = await listening()
    const port = Number(new URL(url).port)
    const opening = webhookSource({ port }, textLines()).open({ id: '' }, undefined)
    await rejects(opening, {
      code: 'SOURCE_UNREADABLE',
      message: /^Cannot listen for webhook \/ at 127\.0\.0\.1:\d+: .*EADDRINUSE/,
    })
  })

  it('refuses to be open to all without a token, and shows no secret', () => {
    throws(() => webhookSource({ port: 0, host: '0.0.0.0' }, textLines()), { code: 'CONFIG_INVALID' })
    throws(
      () => webhookSource({ port: 0, token: 'short' }, textLines()),
      (error: unknown) => {
        ok(isSluiceError(error, 'CONFIG_INVALID'))
        match(error.message, /token/)
        ok(!JSON.stringify([error.message, error.details]).includes('short'))
        return true
      },
    )
  })
})
