import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { RunSnapshot } from '../pipeline/snapshot.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { snapshotOf } from '../testing/snapshot-of.ts'
import { until } from '../testing/until.ts'
import type { Io } from './io.ts'
import { main } from './main.ts'
import { Top } from './show/top.ts'
import { Stopped } from './signals.ts'
import { askFor } from './top.ts'
import { readTopOptions } from './top-options.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A page that answers so, as long as the test lasts. */
async function page(answer: Answer): Promise<{ readonly url: string; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const saying =
  (runs: readonly RunSnapshot[]): Answer =>
  (_request, response) =>
    void response.end(JSON.stringify({ runs }))

function ioOf(env: Io['env'] = {}, isTTY = false): Io & { readonly out: string[]; readonly err: string[] } {
  const [out, err]: [string[], string[]] = [[], []]
  const stdout = { write: (text: string) => out.push(text), isTTY, columns: 100, rows: 24 }
  return { stdout, stderr: { write: (text) => err.push(text) }, env, out, err }
}

const asking = (url: URL | undefined) => async (signal: AbortSignal) => {
  return { runs: await askFor(new URL('api/snapshot', url), undefined, signal), shared: [] }
}

describe('sluice top', () => {
  it('shows the runs of a page once, where there is no terminal', async () => {
    await using shop = await page(saying([snapshotOf({})]))
    const io = ioOf()
    equal(await main(['top', shop.url], io), 0)
    match(io.out.join(''), /^orders: running .*\n(.*\n)+.*1 orders\.csv, priced/)
  })

  it('asks for the snapshot below the address, with the token of the environment', async () => {
    const asked: unknown[] = []
    await using shop = await page(({ url, headers }, response) => {
      asked.push([url, headers.authorization])
      response.end('{"runs":[]}')
    })
    await main(['top', `${shop.url}/behind/a/proxy`], ioOf({ SLUICE_TOKEN: 'a token of the page' }))
    deepEqual(asked, [['/behind/a/proxy/api/snapshot', 'Bearer a token of the page']])
  })

  it('asks for what the copies of a pipeline have in common, and shows the runs without it, too', async () => {
    const shards = [
      { shard: '0/2', totals: { loaded: 90, dead: 4 }, isMissing: false },
      { shard: '1/2', totals: { loaded: 0, dead: 0 }, isMissing: true },
    ]
    const [totals, run] = [{ loaded: 90, dead: 4 }, snapshotOf({ shard: '0/2' })]
    const stored = { pipeline: 'orders', totals, shards, allShards: 2, missingShards: 1 }
    for (const [status, expected] of [
      [200, / {2}2 shards \(1 missing\) {2}loaded 90 {2}dead 4\n.*0\/2 .*\n {4}1\/2 {2}missing, it never started\n/],
      [503, /^orders 0\/2: running .*\n(?!.*shards)/],
    ] as const) {
      await using shop = await page(({ url, headers }, response) => {
        equal(headers.authorization, 'Bearer a token of the page')
        if (url === '/api/snapshot') return void response.end(JSON.stringify({ runs: [run] }))
        response.writeHead(status).end(JSON.stringify({ checkpoints: [stored] }))
      })
      const io = ioOf({ SLUICE_TOKEN: 'a token of the page' })
      equal(await main(['top', shop.url], io), 0)
      match(io.out.join(''), expected)
    }
  })

  it('does not take its token to another address', async () => {
    const asked: unknown[] = []
    await using thief = await page(({ headers }, response) => {
      asked.push(headers.authorization)
      response.end('{"runs":[]}')
    })
    await using shop = await page((_request, response) => {
      response.writeHead(302, { location: `${thief.url}/api/snapshot` }).end()
    })
    equal(await main(['top', shop.url], ioOf({ SLUICE_TOKEN: 'a token of the page' })), 66)
    deepEqual(asked, [])
  })

  it('says what stands against it', async () => {
    const cases: readonly (readonly [Answer, RegExp])[] = [
      [(_, response) => void response.writeHead(401).end(), /answers 401: set SLUICE_TOKEN to its token/],
      [(_, response) => void response.writeHead(404).end(), /it answers 404/],
      [(_, response) => void response.end('<html>'), /its answer is not about runs/],
      [(_, response) => void response.end('{"runs":[{"pipeline":"\u001b[2J"}]}'), /its answer is not about runs/],
      [(request) => void request.socket.destroy(), /no answer/],
    ]
    for (const [answer, expected] of cases) {
      await using shop = await page(answer)
      const io = ioOf()
      equal(await main(['top', shop.url], io), 66)
      match(io.err.join(''), expected)
    }
  })

  it('reads no answer without end', async () => {
    await using shop = await page((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(1 << 20)));
        response.once('drain', more)
      }
      more()
    })
    const io = ioOf()
    equal(await main(['top', shop.url], io), 66)
    match(io.err.join(''), /its answer is too long/)
  })

  it('goes on while the page is away, and says so', async () => {
    const answers: Answer[] = [
      saying([snapshotOf({})]),
      (request) => void request.socket.destroy(),
      saying([snapshotOf({ state: 'drained' })]),
    ]
    let asked = 0
    await using shop = await page((request, response) => {
      answers[asked]?.(request, response)
      asked += 1
    })
    const io = ioOf()
    const [clock, stop] = [new ManualClock(), new AbortController()]
    const options = { ...readTopOptions([shop.url]), everyMs: 1000 }
    const shown = new Top(asking(options.url), options, io, clock).show(stop.signal)
    for (let looks = 1; looks <= 3; looks += 1) {
      await until(() => io.out.length >= looks, 'a look')
      await clock.advance(1000)
    }
    stop.abort(new Stopped('SIGINT', 'received SIGINT'))
    equal(await shown, 0)
    match(io.out[1] ?? '', /^Cannot read .*: no answer.*; trying again\norders: running/)
    match(io.out[2] ?? '', /^orders: drained/)
  })

  it('leaves a terminal as it was', async () => {
    await using shop = await page(saying([snapshotOf({})]))
    const io = ioOf({}, true)
    const [clock, stop] = [new ManualClock(), new AbortController()]
    const options = readTopOptions([shop.url])
    const shown = new Top(asking(options.url), options, io, clock).show(stop.signal)
    await until(() => io.out.length > 0, 'a look')
    stop.abort(new Stopped('SIGTERM', 'received SIGTERM'))
    equal(await shown, 143)
    const [first, last] = [io.out[0] ?? '', io.out.at(-1) ?? '']
    deepEqual([first.startsWith('\u001b[?1049h'), last.endsWith('\u001b[?1049l')], [true, true])
  })

  /** What a terminal of 24 lines shows of so many runs, of which the last has failed. */
  async function drawnOf(count: number): Promise<string[]> {
    const runs = Array.from({ length: count }, (_, at) => snapshotOf({ pipeline: `p${at}` }))
    runs[count - 1] = snapshotOf({ pipeline: 'bad', state: 'failed', error: 'the disk is full' })
    await using shop = await page(saying(runs))
    const io = ioOf({ NO_COLOR: '1' }, true)
    const [clock, stop] = [new ManualClock(), new AbortController()]
    const options = readTopOptions([shop.url])
    const shown = new Top(asking(options.url), options, io, clock).show(stop.signal)
    await until(() => io.out.length > 0, 'a look')
    stop.abort(new Stopped('SIGINT', 'received SIGINT'))
    await shown
    return stripVTControlCharacters(io.out[0] ?? '').split('\n')
  }

  it('shows a line of each run where there are more than the terminal has lines for', async () => {
    const lines = await drawnOf(20)
    equal(lines.length, 21)
    equal(lines[0], 'bad: failed  read 120  loaded 90  dead 4  24/s  the disk is full')
    equal(lines[19], 'p18: running  read 120  loaded 90  dead 4  24/s  bottleneck: 1 orders.csv, priced')
  })

  it('shows those in trouble, and how many there are beside, where not even that has room', async () => {
    const lines = await drawnOf(40)
    equal(lines.length, 24)
    match(lines[0] ?? '', /^bad: failed/)
    equal(lines[22], '… and 18 pipelines more: 18 running')
  })
})

describe('the options of sluice top', () => {
  const urlOf = (text: string): string | undefined => readTopOptions([text]).url?.href

  it('take an address, a host, or a port of this machine', () => {
    equal(urlOf('http://127.0.0.1:4000'), 'http://127.0.0.1:4000/')
    equal(urlOf('web1:4000'), 'http://web1:4000/')
    equal(urlOf('4000'), 'http://127.0.0.1:4000/')
    equal(urlOf('https://web1/sluice'), 'https://web1/sluice/')
  })

  it('refuse invalid ones, and say why', () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /needs a file, or the address of a dashboard/],
      [['a', 'b'], /takes one address: found a and b/],
      [['job.ts', '--every', 'now'], /--every must be a number/],
      [['file:///etc/passwd'], /such as http:\/\/127\.0\.0\.1:4000: found file/],
      [['http://ann:hunter2@web1'], /no credentials in an address: set SLUICE_TOKEN to the token of web1$/],
      [['web1', '--every', '0'], /--every must be a number from 0\.1/],
    ]
    for (const [argv, message] of cases) throws(() => readTopOptions(argv), { message })
  })

  it('do not show a password', async () => {
    await rejects(
      async () => readTopOptions(['http://ann:hunter2@web1', 'x']),
      (error: Error) => {
        return !error.message.includes('hunter2')
      },
    )
  })
})
