import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Dashboard, startDashboard } from '../../src/dashboard/dashboard.ts'
import { until } from '../support/until.ts'
import { answerOf, type FakeRun, fakeRun } from '../support/watched.ts'

const TOKEN = 'a-token-of-enough-length'
const JSON_BODY = { 'content-type': 'application/json' }
/** Who would have waited so long on a busy machine, too, waits for ever. */
const LONG_MS = 180_000
const NEVER = { pipeline: 'a-secret-pipeline' }

/** What a server answers to bytes as they stand. */
function rawAnswer(url: string, bytes: string): Promise<string> {
  const { port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.setEncoding('utf8').on('data', (more) => (text += more))
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

/** The bytes that this process holds on to. */
function held(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

describe('the exposure of the dashboard', () => {
  let dashboard: Dashboard
  let run: FakeRun
  before(async () => {
    dashboard = await startDashboard()
    run = fakeRun(NEVER)
    dashboard.watch(run)
  })
  after(() => dashboard.close())

  const foreign = [
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example:80',
    'evil.example:80@localhost',
    '127.0.0.1.',
    '[::1].evil.example',
    '[::2]',
    'localhost:80:80',
    'localhost, evil.example',
  ]
  for (const host of foreign) {
    it(`S10: turns away who comes by the name ${JSON.stringify(host)}, and tells nothing`, async () => {
      for (const path of ['/', '/api/snapshot', '/api/events', '/api/session', '/metrics', '/healthz']) {
        const { status, body } = await answerOf(`${dashboard.url}${path}`, { headers: { host } })
        ok(status === 421 || status === 400, `${path}: ${status}`)
        ok(!body.includes(NEVER.pipeline))
      }
    })
  }

  it('S10: turns away who gives no name', async () => {
    match(await rawAnswer(dashboard.url, 'GET /api/snapshot HTTP/1.1\r\n\r\n'), /^HTTP\/1.1 400 |^$/)
    match(await rawAnswer(dashboard.url, 'GET /api/snapshot HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 421 /)
    match(await rawAnswer(dashboard.url, 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 421 /)
  })

  it('S10: answers to the names of this machine, in every form', async () => {
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1', '[::1]:80']) {
      equal((await answerOf(`${dashboard.url}/api/snapshot`, { headers: { host } })).status, 200, host)
    }
  })

  it('S10: takes a whole address for none', async () => {
    const { port } = new URL(dashboard.url)
    const request = `GET http://localhost/api/snapshot HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`
    match(await rawAnswer(dashboard.url, request), /^HTTP\/1.1 400 /)
  })

  const origins = ['http://evil.example', 'null', 'http://localhost:1', 'file://', 'http://127.0.0.1.evil.example']
  for (const origin of origins) {
    it(`S10: turns away pages of ${origin}, also where they ask for an upgrade or follow events`, async () => {
      for (const path of ['/api/snapshot', '/api/events', '/api/session']) {
        const plain = await answerOf(`${dashboard.url}${path}`, { headers: { origin } })
        const upgrade = { origin, connection: 'upgrade', upgrade: 'websocket' }
        const upgraded = await answerOf(`${dashboard.url}${path}`, { headers: upgrade })
        deepEqual([plain.status, upgraded.status], [403, 403])
        equal(plain.headers['access-control-allow-origin'], undefined)
        ok(!plain.body.includes(NEVER.pipeline))
      }
    })
  }

  it('S10: turns away what a page of another site embeds', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const headers = { 'sec-fetch-site': site }
      equal((await answerOf(`${dashboard.url}/api/events`, { headers })).status, 403)
      equal((await answerOf(dashboard.url, { headers })).status, 200, 'a link to the page may be followed')
    }
  })

  it('S10: answers to no question of another origin whether it may', async () => {
    const headers = { origin: 'http://evil.example', 'access-control-request-method': 'POST' }
    const { status, headers: given } = await answerOf(`${dashboard.url}/api/pause`, { method: 'OPTIONS', headers })
    equal(status, 403)
    ok(!Object.keys(given).some((name) => name.startsWith('access-control')))
  })

  it('S10: listens where others can reach it with a token alone', async () => {
    await rejects(startDashboard({ host: '0.0.0.0' }), {
      code: 'CONFIG_INVALID',
      message: 'Cannot show the dashboard on 0.0.0.0: others can reach it there, and it has no token',
    })
    await rejects(startDashboard({ host: '0.0.0.0', token: 'short' }), { code: 'CONFIG_INVALID' })
    await rejects(startDashboard({ hosts: ['etl example'] }), { code: 'CONFIG_INVALID' })
  })

  it('S11: changes nothing when it is asked with GET, or without the token, or with another one', async () => {
    const { changeToken } = JSON.parse((await answerOf(`${dashboard.url}/api/session`)).body)
    const body = JSON.stringify(NEVER)
    for (const what of ['pause', 'resume', 'drain']) {
      const url = `${dashboard.url}/api/${what}`
      const got = await answerOf(`${url}?token=${changeToken}`)
      deepEqual([got.status, got.headers.allow], [405, 'POST'])
      equal((await answerOf(url, { method: 'POST', headers: JSON_BODY, body })).status, 403)
      const wrong = { ...JSON_BODY, 'x-sluice-token': `${changeToken}x` }
      equal((await answerOf(url, { method: 'POST', headers: wrong, body })).status, 403)
      const elsewhere = { ...JSON_BODY, 'x-sluice-token': changeToken, origin: 'http://evil.example' }
      equal((await answerOf(url, { method: 'POST', headers: elsewhere, body })).status, 403)
      const form = { 'content-type': 'application/x-www-form-urlencoded', 'x-sluice-token': changeToken }
      equal((await answerOf(url, { method: 'POST', headers: form, body })).status, 415)
    }
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      equal((await answerOf(`${dashboard.url}/api/pause`, { method })).status, 405)
    }
    deepEqual(run.asked, [])
  })

  it('S11: says with every answer what a browser may do with it', async () => {
    for (const path of ['/', '/page.js', '/api/snapshot', '/nowhere']) {
      const { headers } = await answerOf(`${dashboard.url}${path}`)
      match(`${headers['content-security-policy']}`, /default-src 'self';.*frame-ancestors 'none'/)
      equal(headers['x-content-type-options'], 'nosniff')
      equal(headers['cross-origin-resource-policy'], 'same-origin')
    }
  })

  it('S11: serves nothing but its own files', async () => {
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/__proto__', '/constructor', '//evil.example/']) {
      equal((await answerOf(`${dashboard.url}${path}`)).status, 404, path)
    }
  })
})

describe('a dashboard with a token', () => {
  let dashboard: Dashboard
  before(async () => {
    dashboard = await startDashboard({ token: TOKEN, hosts: ['etl.example.org'] })
    dashboard.watch(fakeRun(NEVER))
  })
  after(() => dashboard.close())

  it('S10: shows nothing without it', async () => {
    const paths = ['/api/snapshot', '/api/events', '/api/session', '/api/dead-letters', '/api/checkpoints', '/metrics']
    for (const path of paths) {
      for (const authorization of ['', 'Bearer ', 'Bearer wrong-token-of-some-length', `Basic ${TOKEN}`]) {
        const { status, body } = await answerOf(`${dashboard.url}${path}`, { headers: { authorization } })
        equal(status, 401)
        ok(!body.includes(NEVER.pipeline))
      }
    }
    const { body } = await answerOf(`${dashboard.url}/readyz`)
    ok(!body.includes(NEVER.pipeline))
  })

  it('S10: takes it as a bearer, by the names that are allowed', async () => {
    const headers = { authorization: `Bearer ${TOKEN}`, host: 'ETL.example.org:8443' }
    equal((await answerOf(`${dashboard.url}/metrics`, { headers })).status, 200)
  })

  it('S11: gives a cookie for it that no script reads and no other site sends', async () => {
    const signIn = (token: string) =>
      answerOf(`${dashboard.url}/api/sign-in`, { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ token }) })
    const refused = await signIn('wrong')
    deepEqual([refused.status, refused.headers['set-cookie']], [401, undefined])
    const [cookie = ''] = (await signIn(TOKEN)).headers['set-cookie'] ?? []
    match(cookie, /^sluice-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
    ok(!cookie.includes(TOKEN))
    const [pair = ''] = cookie.split(';')
    equal((await answerOf(`${dashboard.url}/api/snapshot`, { headers: { cookie: `a=b; ${pair}` } })).status, 200)
    equal((await answerOf(`${dashboard.url}/api/snapshot`, { headers: { cookie: `${pair}x` } })).status, 401)
  })
})

describe('the dashboard under those who mean it ill', () => {
  const sockets: Socket[] = []
  after(() => {
    for (const socket of sockets) socket.destroy()
  })

  function open(url: string, bytes = ''): Promise<Socket> {
    return new Promise((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => {}) // Being cut off is what is expected.
      socket.on('connect', () => {
        socket.write(bytes)
        resolve(socket)
      })
    })
  }

  const said = (socket: Socket): Promise<string> =>
    new Promise((resolve) => socket.once('data', (bytes) => resolve(`${bytes}`)))

  const ended = (socket: Socket): Promise<void> =>
    new Promise((resolve) => (socket.destroyed ? resolve() : socket.resume().once('close', () => resolve())))

  it('S12: lets go of a thousand that connect and say nothing, and answers again', { timeout: LONG_MS }, async () => {
    const dashboard = await startDashboard()
    dashboard.watch(fakeRun())
    const idle = await Promise.all(Array.from({ length: 1000 }, () => open(dashboard.url)))
    await Promise.all(idle.map(ended))
    equal((await answerOf(`${dashboard.url}/api/snapshot`)).status, 200)
    await dashboard.close()
  })

  it('S12: lets go of one whose request never comes to its end', { timeout: LONG_MS }, async () => {
    const dashboard = await startDashboard()
    const slow = await open(dashboard.url, 'GET /api/snapshot HTTP/1.1\r\nHost: localhost\r\nX-A: ')
    const drip = setInterval(() => slow.write('a'), 200)
    const body = await open(
      dashboard.url,
      'POST /api/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{',
    )
    await Promise.all([ended(slow), ended(body)])
    clearInterval(drip)
    await dashboard.close()
  })

  it('S12: takes in no more of a body or of headers than it needs', async () => {
    const dashboard = await startDashboard()
    const { status } = await answerOf(`${dashboard.url}/api/sign-in`, {
      method: 'POST',
      headers: { ...JSON_BODY, 'content-length': `${2 ** 30}` },
      body: '{}',
    })
    equal(status, 413)
    const chunked =
      'POST /api/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
    const chunk = `2000\r\n${' '.repeat(0x2000)}\r\n`
    match(await rawAnswer(dashboard.url, `${chunked}${chunk}`), /^HTTP\/1.1 413 /)
    const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`
    ok(!(await rawAnswer(dashboard.url, long)).startsWith('HTTP/1.1 200'))
    await dashboard.close()
  })

  it('S12: has so many followers and no more', async () => {
    const dashboard = await startDashboard()
    const follow = 'GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const followers = await Promise.all(Array.from({ length: 16 }, () => open(dashboard.url, follow)))
    await Promise.all(followers.map(said))
    const { status, headers } = await answerOf(`${dashboard.url}/api/events`)
    deepEqual([status, headers['retry-after']], [503, '5'])
    followers[0]?.destroy()
    const isLetIn = async () => (await said(await open(dashboard.url, follow))).startsWith('HTTP/1.1 200 ')
    await until(isLetIn, 'room for another')
    await dashboard.close()
  })

  it('S12: looks into a sink once at a time, and lets few wait for that', async () => {
    const dashboard = await startDashboard()
    let looks = 0
    const gate = Promise.withResolvers<never>()
    const inspect = (): Promise<never> => {
      looks += 1
      return gate.promise
    }
    dashboard.watch({ ...fakeRun(), inspect })
    const asked = Array.from({ length: 20 }, () => answerOf(`${dashboard.url}/api/dead-letters`))
    let refused = 0
    await new Promise<void>((resolve) => {
      for (const answer of asked)
        void answer.then(({ status }) => (status === 503 && ++refused === 12 ? resolve() : {}))
    })
    equal(looks, 1)
    gate.reject(new Error('the sink is gone'))
    const answers = await Promise.all(asked)
    equal(answers.filter(({ status }) => status === 500).length, 8)
    await dashboard.close()
  })

  it('S12: keeps nothing for a follower that never reads, and lets it go', { timeout: LONG_MS }, async () => {
    const dashboard = await startDashboard()
    // More than the system takes for a reader that is not there, and more than one message of it.
    const notices = Array.from({ length: 100 }, () => ({ atMs: 0, kind: 'noted', text: 'x'.repeat(100_000) }) as const)
    const run = fakeRun({ notices })
    dashboard.watch(run)
    /** It is told once a second. */
    const told = (times: number) => until(() => run.snapshots >= times, `snapshot ${times}`)
    const stuck = await open(dashboard.url, 'GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    stuck.pause()
    await told(3)
    const before = held()
    await told(11)
    const grown = held() - before
    ok(grown < 60_000_000, `messages queue up: ${grown} bytes`)
    // It has missed ten, and one more is too many.
    await told(12)
    stuck.resume()
    await ended(stuck)
    await dashboard.close()
  })
})
