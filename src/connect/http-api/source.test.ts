import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { type ErrorCode, isSluiceError } from '../../base/errors.ts'
import { readEntries } from '../../testing/conformance/reading.ts'
import { sourceConformance } from '../../testing/conformance/source.ts'
import type { Tracked } from '../origin.ts'
import type { Position, SplitReader } from '../source.ts'
import { type HttpSourceOptions, httpSource } from './source.ts'

const servers: Server[] = []
after(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Pages of the numbers from 0 to 9, `size` at a time, linked by a header. */
function numbers(size: number, seen: string[] = []): Promise<string> {
  return serve((request, response) => {
    seen.push(request.url ?? '')
    const from = Number(new URL(request.url ?? '', 'http://x').searchParams.get('from') ?? 0)
    const page = Array.from({ length: Math.max(0, Math.min(size, 10 - from)) }, (_, at) => ({ n: from + at }))
    const link = `</?from=0>; rel="first", </?from=${from + size}>; rel="next"; title="a, b"`
    response.writeHead(200, from + size < 10 ? { link } : {}).end(JSON.stringify(page))
  })
}

async function open<T>(url: string, options: HttpSourceOptions<T> = {}, from?: Position): Promise<SplitReader<T>> {
  return await httpSource<T>(url, options).open({ id: 'pages' }, from)
}

async function rest<T>(reader: SplitReader<T>, max = 2): Promise<T[]> {
  const found: T[] = []
  for (let read = await readEntries(reader, max); read !== undefined; read = await readEntries(reader, max)) {
    ok(read.length > 0 && read.length <= max)
    found.push(...(read as readonly Tracked<T>[]).map(({ value }) => value))
  }
  await reader.close()
  return found
}

const failsWith =
  (code: ErrorCode, message = /./) =>
  (error: unknown) => {
    ok(isSluiceError(error, code), String(error))
    match(error.message, message)
    return true
  }

sourceConformance<{ n: number }>({
  name: 'pages over HTTP',
  make: async () => ({
    source: httpSource(await numbers(3)),
    expected: Array.from({ length: 10 }, (_, n) => ({ n })),
  }),
  makeWaiting: async () => ({ source: httpSource(await serve(() => {})) }),
})

describe('httpSource', { concurrency: true }, () => {
  it('gives the items of all pages, in order, each page asked for once', async () => {
    const seen: string[] = []
    const found = await rest(await open<{ n: number }>(await numbers(4, seen)))
    deepEqual(
      found.map(({ n }) => n),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    )
    deepEqual(seen, ['/', '/?from=4', '/?from=8'])
  })

  it('C81: goes on from any position', async () => {
    const url = await numbers(3)
    const reader = await open<{ n: number }>(url)
    const positions: Position[] = [reader.position()]
    for (let read = await readEntries(reader, 1); read !== undefined; read = await readEntries(reader, 1)) {
      positions.push(JSON.parse(JSON.stringify(reader.position())))
    }
    equal(positions.length, 11)
    for (const [given, position] of positions.entries()) {
      const found = await rest(await open<{ n: number }>(url, {}, position))
      deepEqual(
        found.map(({ n }) => n),
        Array.from({ length: 10 - given }, (_, at) => given + at),
      )
    }
  })

  it('says where each item came from', async () => {
    const url = await numbers(1)
    const reader = await open(url)
    await readEntries(reader, 5)
    const read = (await readEntries(reader, 5)) as readonly Tracked<unknown>[]
    deepEqual(read[0]?.origin, { source: url, line: 0, offset: 1, raw: '{"n":1}' })
    await reader.close()
  })

  it('finds items and the next page where it is told', async () => {
    const url = await serve((request, response) => {
      const first = request.url === '/start?q=1'
      response.end(JSON.stringify(first ? { data: ['a'], more: 'then' } : { data: ['b'], more: null }))
    })
    const found = await rest(
      await open<string>(`${url}/start?q=1`, {
        items: ({ body }) => (body as { data: string[] }).data,
        next: ({ body }) => (body as { more: string | null }).more,
      }),
    )
    deepEqual(found, ['a', 'b'])
  })

  it('passes over pages without items', async () => {
    const url = await serve((request, response) => {
      const page = Number(request.url?.slice(1) ?? 0)
      response.writeHead(200, page < 3 ? { link: `</${page + 1}>; rel=next` } : {}).end(page === 2 ? '[7]' : '[]')
    })
    deepEqual(await rest(await open<number>(`${url}/0`)), [7])
  })

  it('tries again what is not answered well', async () => {
    let asked = 0
    const url = await serve((_, response) => {
      asked += 1
      response.writeHead(asked === 1 ? 500 : 200).end('[1]')
    })
    deepEqual(await rest(await open<number>(url)), [1])
    equal(asked, 2)
  })

  it('sends its headers, and those to nobody else', async () => {
    let sent: unknown
    const url = await serve((request, response) => {
      sent = request.headers.authorization
      response.writeHead(200, { link: '<http://localhost:9/evil>; rel=next' }).end('[]')
    })
    await rejects(
      rest(await open(url, { headers: { authorization: 'Bearer hunter22' } })),
      failsWith('SOURCE_CORRUPT', /its next page is at http:\/\/localhost:9$/),
    )
    equal(sent, 'Bearer hunter22')
  })

  it('does not go round in circles', async () => {
    const self = await serve((_, response) => response.writeHead(200, { link: '</>; rel=next' }).end('[]'))
    await rejects(rest(await open(self)), failsWith('SOURCE_CORRUPT', /names itself/))
    const round = await serve((request, response) => {
      response.writeHead(200, { link: `</${request.url === '/a' ? 'b' : 'a'}>; rel=next` }).end('[1]')
    })
    await rejects(rest(await open(`${round}/a`, { maxPages: 5 })), failsWith('SOURCE_LIMIT', /over 5 pages/))
  })

  const pages: Readonly<Record<string, string>> = { 'not valid JSON': 'oops', 'no array': '{"a":1}', nothing: '' }
  for (const [what, body] of Object.entries(pages)) {
    it(`refuses a page that is ${what}`, async () => {
      const url = await serve((_, response) => response.end(body))
      await rejects(rest(await open(url)), failsWith('SOURCE_CORRUPT', /^Cannot read page 1 of http:/))
    })
  }

  for (const [encoding, pack] of [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ] as const) {
    it(`R22: asks once for a page whose ${encoding} is damaged: another time it would be no other`, async () => {
      let asked = 0
      const packed = pack(JSON.stringify(Array.from({ length: 5000 }, (_, n) => ({ n: n * 7919 }))))
      packed.fill(0x5a, packed.length >> 1, (packed.length >> 1) + 40)
      const url = await serve((_request, response) => {
        asked += 1
        response.writeHead(200, { 'content-encoding': encoding }).end(packed)
      })
      await rejects(
        rest(await open(url)),
        failsWith('SOURCE_CORRUPT', /Cannot read page 1 of .*: it cannot be decompressed/),
      )
      equal(asked, 1)
    })
  }

  it('R22: asks again for a page that broke off', async () => {
    let asked = 0
    const packed = gzipSync('[{"n":1}]')
    const url = await serve((_request, response) => {
      asked += 1
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length })
      if (asked > 1) return response.end(packed)
      response.write(packed.subarray(0, 12), () => response.destroy())
    })
    deepEqual(await rest(await open(url)), [{ n: 1 }])
    equal(asked, 2)
  })

  it('S6: stops a bomb soon after its limit, in any nesting', async () => {
    const zeros = gzipSync(Buffer.alloc(200_000_000))
    const nested: Readonly<Record<string, Buffer>> = {
      gzip: zeros,
      'gzip, gzip': gzipSync(zeros),
      'gzip, br': brotliCompressSync(zeros),
      'gzip, gzip, gzip': gzipSync(gzipSync(zeros)),
    }
    for (const [encoding, body] of Object.entries(nested)) {
      const url = await serve((_request, response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end(body)
      })
      const before = process.memoryUsage.rss()
      await rejects(rest(await open(url, { maxPageBytes: 1_000_000 })), failsWith('SOURCE_LIMIT', /over 1000000 bytes/))
      ok(process.memoryUsage.rss() - before < 100_000_000, encoding)
    }
  })

  it('S6: holds no page that is larger than it may be', async () => {
    const url = await serve((_, response) => {
      const more = (): void => {
        if (!response.destroyed) response.write(' '.repeat(65_536), more)
      }
      more()
    })
    await rejects(rest(await open(url, { maxPageBytes: 100_000 })), failsWith('SOURCE_LIMIT', /over 100000 bytes/))
  })

  it('stops at what the server refuses, and tells no secret', async () => {
    const url = await serve((request, response) => response.writeHead(404).end(request.url))
    await rejects(rest(await open(`${url}/x?key=hunter22`)), (error) => {
      failsWith('SOURCE_UNREADABLE', /^Cannot read page 1 of http:\/\/127\.0\.0\.1:\d+: it answered 404$/)(error)
      return !JSON.stringify(error).includes('hunter22')
    })
  })

  it('does not go on where the items before it are gone, or from a position of something else', async () => {
    const url = await numbers(3)
    await rejects(open(url, {}, { page: '/', index: 4, items: 4, pages: 0 }), failsWith('POSITION_LOST', /has 3 now/))
    for (const from of [
      3,
      null,
      'x',
      { page: 'http://evil/', index: 0, items: 0, pages: 0 },
      { page: '/', index: -1 },
    ]) {
      await rejects(open(url, {}, from), failsWith('POSITION_LOST'))
    }
  })

  /** One page of JSON, as it stands at the time. */
  const page = async (first: string | Buffer) => {
    const now = { body: first }
    return { url: await serve((_request, response) => void response.end(now.body)), now }
  }

  it('R5, R6: makes a dead letter of an item with a number that cannot be kept, and gives the others', async () => {
    const { url } = await page('[{"id": 1}, {"id": 2, "a": [{"b": 12345678901234567890}]}, {"id": 3, "c": 1e400}, -0]')
    const read = async (options: HttpSourceOptions<unknown>) => {
      const reader = await open(url, options)
      const entries = (await readEntries(reader, 10)) ?? []
      await reader.close()
      return entries.map((entry) =>
        entry.kind === 'dead' ? `${entry.step}: ${entry.reason}, ${entry.origin.raw}` : entry.value,
      )
    }
    deepEqual(await read({}), [
      { id: 1 },
      'http-pages: the number 12345678901234567890 is over 2^53, {"id":2,"a":[{"b":12345678901234567890}]}',
      'http-pages: the number 1e400 is too large, {"id":3,"c":"the number 1e400 is too large"}',
      -0,
    ])
    deepEqual((await read({ bigints: 'bigint' }))[1], { id: 2, a: [{ b: 12345678901234567890n }] })
    deepEqual((await read({ bigints: 'number' }))[1], { id: 2, a: [{ b: 12345678901234567000 }] })
  })

  it('R15: does not pass over items that came in front of the position', async () => {
    const { url, now } = await page('[{"id": 2, "likes": 1}, {"id": 1, "likes": 1}]')
    const reader = await open(url)
    await readEntries(reader, 10)
    const position = JSON.parse(JSON.stringify(reader.position())) as Position
    now.body = '[{"id": 2, "likes": 5}, {"id": 1, "likes": 7}, {"id": 3}]'
    deepEqual(await rest(await open(url, {}, position)), [{ id: 3 }])
    now.body = '[{"id": 4}, {"id": 3}, {"id": 2}, {"id": 1}]'
    await rejects(
      open(url, {}, position),
      failsWith('POSITION_LOST', /item 2 has changed, .* ask for the oldest items first/),
    )
    const { last: _, ...earlier } = position as Record<string, string>
    deepEqual(await rest(await open(url, {}, earlier)), [{ id: 2 }, { id: 1 }])
  })

  it('R15: says that an item without an id is not as it was', async () => {
    const { url, now } = await page('[["a", 1]]')
    const reader = await open(url)
    await readEntries(reader, 10)
    const position = reader.position()
    now.body = '[["b", 1], ["a", 1]]'
    const notes: string[] = []
    await (await httpSource(url).open({ id: 'pages' }, position, { onNote: (note) => notes.push(note) })).close()
    match(notes.join(), /^page 1 of .*: item 1 is not as it was read: if items were added before it, they are not read/)
  })

  it('R1: refuses a page that is not UTF-8', async () => {
    const { url } = await page(Buffer.from([0x5b, 0x22, 0xe9, 0x22, 0x5d]))
    await rejects(
      open(url).then((reader) => reader.read(1)),
      failsWith('SOURCE_CORRUPT', /it is not UTF-8/),
    )
  })

  it('S8: stays with its server, whatever a position says', async () => {
    const url = await numbers(3)
    const position = { page: '//evil.example/', index: 0, items: 0, pages: 0 }
    await rejects(async () => await rest(await open(url, {}, position)), failsWith('POSITION_LOST'))
  })

  it('stops at once when it is aborted', async () => {
    const stop = new AbortController()
    const url = await serve(() => stop.abort(new Error('enough')))
    const reader = await httpSource(url).open({ id: 'pages' }, undefined, { signal: stop.signal })
    await rejects(async () => await readEntries(reader, 1), /enough/)
    await reader.close()
  })

  it('refuses invalid options', () => {
    throws(() => httpSource('http://x', { items: 5 } as never), TypeError)
    throws(() => httpSource('http://x', { maxPages: 0 }), RangeError)
    throws(
      () => httpSource('file:///etc/passwd'),
      (error) => isSluiceError(error, 'CONFIG_INVALID'),
    )
  })
})
