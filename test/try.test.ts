import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { closeSync, existsSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { rowsIn } from '../src/testing/rows-in.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { sluice } from './support/cli.ts'
import { compileStrictly } from './support/compile.ts'
import { sluiceHere } from './support/job.ts'
import { NO_PEAK, Peak } from './support/peak.ts'
import { missingPostgres, PostgresServer } from './support/postgres.ts'
import { DATA, missingData } from './support/project.ts'
import { ROWS, type TryInput, writeTryInputs } from './support/try-inputs.ts'

interface Found {
  readonly kind: string
  readonly rows: number
  readonly rejected: number
  readonly isWhole: boolean
  readonly total: { readonly rows: number; readonly isExact: boolean } | null
  readonly notes: readonly string[]
  readonly columns: readonly {
    readonly name: string
    readonly type: string | null
    readonly nulls: number
    readonly distinct: number
    readonly min: unknown
    readonly max: unknown
    readonly top: readonly [string, number][]
    readonly missing: number
  }[]
  readonly rejections: readonly {
    readonly reason: string
    readonly count: number
    readonly place: string
    readonly found: string
  }[]
  readonly flow: string
}

const folder = tempFolder('sluice-try-test-')
const path = (name: string): string => join(folder, name)

async function tried(given: string): Promise<Found> {
  const { code, stdout, stderr } = await sluiceHere(['try', given, '--json'])
  equal(code, 0, stderr)
  return JSON.parse(stdout)
}

describe('sluice try', () => {
  let inputs: readonly TryInput[]
  /** The pipelines that were printed, by file name. */
  const flows = new Map<string, string>()
  const kept = (name: string, { flow }: Found): void => void flows.set(`${name.replace(/\W/g, '-')}.ts`, flow)

  before(async () => {
    inputs = await writeTryInputs(folder)
  })

  it('I1 I2: tells what a file, a folder or a table is, its rows, and the types of its columns', async () => {
    for (const { given, kind, rows, rejected = 0, types } of inputs) {
      const found = await tried(path(given))
      match(found.kind, kind, given)
      deepEqual([found.rows, found.rejected, found.isWhole], [rows, rejected, true], given)
      deepEqual(found.total, { rows: rows + rejected, isExact: true }, given)
      const told = new Map(found.columns.map(({ name, type }) => [name, type]))
      for (const [name, type] of Object.entries(types)) equal(told.get(name), type, `${given}: ${name}`)
      kept(given, found)
    }
  })

  it('I2: tells nulls, distinct and commonest values, and ranges', async () => {
    const { columns } = await tried(path('rows.ndjson'))
    const of = (name: string) => columns.find((column) => column.name === name) ?? columns[0]!
    deepEqual([of('id').distinct, of('id').min, of('id').max], [ROWS, 0, ROWS - 1])
    deepEqual([of('note').nulls, of('note').missing], [100, 200])
    deepEqual(of('name').top[0], ['c0', 43])
  })

  it('I3: groups rejected records by reason, each with its first place', async () => {
    const { rejections } = await tried(path('dirty.csv'))
    equal(rejections.length, 2)
    const [one] = rejections
    match(one?.reason ?? '', /column "id" takes integers/)
    deepEqual([one?.count, one?.found, basename(one?.place ?? '')], [2, '"three"', 'dirty.csv:5'])
  })

  it('I1: names the tables of a database if there are several', async () => {
    const { code, stderr } = await sluiceHere(['try', path('shop.sqlite')])
    equal(code, 78)
    match(stderr, /it has 2 tables, name one as in .*shop\.sqlite#empty: empty, orders/)
  })

  it('I1: says how an access log in a format of its own is read', async () => {
    const line = (n: number): string => `2026-05-17 app[${n}] "GET /x HTTP/1.1" took ${n} ms\n`
    writeFileSync(path('own.log'), Array.from({ length: 20 }, (_, n) => line(n)).join(''))
    const { kind, notes } = await tried(path('own.log'))
    deepEqual([kind, /accessLog\(\{ format/.test(notes.join())], ['lines of text', true])
  })

  it('I4: loads exactly the pipeline that it prints, and only what is new the next time', async () => {
    for (const [given, table] of [
      ['dirty.csv', 'dirty'],
      ['rows.ndjson', 'rows'],
      ['numbers.ndjson', 'numbers'],
      ['hostile.csv', 'hostile'],
      ['shop.sqlite#orders', 'orders'],
    ] as const) {
      const db = path(`${table}-loaded.sqlite`)
      const first = await sluiceHere(['try', path(given), '--into', db])
      equal(first.code, 0, first.stderr)
      const count = (): unknown => rowsIn(db, `select count(*) as n from ${table}`)[0]?.n
      const loaded = given === 'dirty.csv' ? ROWS - 3 : ROWS
      equal(count(), loaded, given)
      equal((await sluiceHere(['try', path(given), '--into', db])).code, 0)
      equal(count(), loaded, given)
    }
  })

  describe('of a server', () => {
    let server: Server
    let url: string
    before(async () => {
      server = createServer((request, response) => {
        if (request.url === '/none') return void response.writeHead(404).end()
        const body = request.url?.startsWith('/items')
          ? JSON.stringify({ data: [{ id: 1 }, { id: 2 }] })
          : 'id,x\n1,a\n2,b\n'
        response.end(body)
      }).listen(0, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    })
    after(() => server.close())

    it('I1: reads JSON from it, and tells to download the rest', async () => {
      const pages = await tried(`${url}/items?page=1`)
      match(pages.flow, /httpSource<Row>\('http:.*\/items\?page=1', \{\n {4}items: /)
      kept('pages', pages)
      const table = await tried(`${url}/table.csv`)
      deepEqual([table.rows, table.columns.map(({ name }) => name)], [2, ['id', 'x']])
      match(table.flow, /csvSource\('table\.csv'/)
      match(table.notes.join(), /download it first/)
      kept('table', table)
      const { code, stderr } = await sluiceHere(['try', `${url}/none`])
      deepEqual([code, /answers 404/.test(stderr)], [66, true], stderr)
    })

    it('I4: downloads, loads, and keeps what it downloaded', async () => {
      const { code, stderr } = await sluice(['try', `${url}/table.csv`, '--into', 'web.sqlite'], { cwd: folder })
      equal(code, 0, stderr)
      ok(existsSync(path('table.csv')))
      deepEqual(rowsIn(path('web.sqlite'), 'select id, x from "table"'), [
        { id: 1, x: 'a' },
        { id: 2, x: 'b' },
      ])
      const pages = await sluice(['try', `${url}/items`, '--into', 'items.sqlite'], { cwd: folder })
      equal(pages.code, 0, pages.stderr)
      deepEqual(rowsIn(path('items.sqlite'), 'select id from items'), [{ id: 1 }, { id: 2 }])
    })
  })

  it('I1 I4: looks at a table of PostgreSQL, and prints no password', { skip: missingPostgres() }, async () => {
    await using server = await PostgresServer.start()
    const database = await server.createDatabase()
    const url = server.url(database)
    await server.query(
      database,
      `create table orders as select n as id, 'c' || n as name from generate_series(1, ${ROWS}) n`,
    )
    const found = await tried(`${url}?table=orders`)
    deepEqual([found.kind, found.rows], ['table orders of PostgreSQL', ROWS])
    match(found.flow, /postgresSource<Row>\(process\.env\.SOURCE_URL \?\? '', \{ table: 'orders' \}\)/)
    kept('postgres', found)
    const only = await sluiceHere(['try', url, '--into', path('pg.sqlite')])
    equal(only.code, 0, only.stderr)
    equal(rowsIn(path('pg.sqlite'), 'select count(*) as n from orders')[0]?.n, ROWS)
  })

  it('I5: prints pipelines that compile', () => {
    ok(flows.size >= 25, `${flows.size} of them`)
    deepEqual(compileStrictly(flows), [])
  })
})

describe('sluice try, of hostile data', () => {
  const cases: readonly [name: string, content: () => string | Uint8Array, told: RegExp][] = [
    ['empty.csv', () => '', /it is empty/],
    ['empty.gz', () => gzipSync(''), /it is empty/],
    ['mark.csv', () => '\uFEFF', /it is empty/],
    [
      'junk.bin',
      () => Buffer.from(Array.from({ length: 50_000 }, (_, n) => (n * 7919) % 251)),
      /neither text nor of a known format/,
    ],
    ['archive.csv', () => Buffer.from('PK\x03\x04rest of a zip archive'), /a zip archive: unpack it first/],
    ['cut.csv.gz', () => gzipSync('id,x\n1,2\n'.repeat(9000)).subarray(0, 200), /unexpected end of file/],
    ['cut.parquet', () => 'PAR1 and no footer', /Parquet/],
  ]
  for (const [name, content, told] of cases) {
    it(`I6: ends with one line that says what is wrong: ${name}`, async () => {
      writeFileSync(path(name), content())
      const { code, stdout, stderr } = await sluiceHere(['try', path(name)])
      deepEqual([code, stdout, stderr.trimEnd().split('\n').length], [66, '', 1], stderr)
      match(stderr, told)
    })
  }

  it('I6: ends with one line if there is no such file, folder or server', async () => {
    for (const given of [
      path('none.csv'),
      path('none/*.csv'),
      'http://127.0.0.1:1/x',
      'postgres://127.0.0.1:1/x?table=t',
    ]) {
      const { code, stderr } = await sluiceHere(['try', given])
      deepEqual([code, stderr.trimEnd().split('\n').length], [66, 1], stderr)
    }
  })

  it('I6: ends soon with one line if a server is silent, or standard input is named', async () => {
    const sockets: Socket[] = []
    const server = createTcpServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    for (const given of [`http://127.0.0.1:${port}/x`, `postgres://127.0.0.1:${port}/x?table=t`, '-']) {
      const { code, stderr } = await sluiceHere(['try', given])
      deepEqual([code, stderr.trimEnd().split('\n').length], [66, 1], stderr)
    }
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  it('I4: prints no secrets of an address', async () => {
    const server = createServer((_request, response) => response.end('[{"id":1}]')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x?token=hunter22`
    for (const words of [[], ['--json'], ['--into', path('secret.sqlite')]]) {
      const { code, stdout, stderr } = await sluiceHere(['try', url, ...words])
      equal(code, 0, stderr)
      equal(`${stdout}${stderr}`.includes('hunter22'), false, stdout)
      match(stdout, /process\.env\.SOURCE_URL/)
    }
    server.close()
  })

  it('I6: says that a line is too long, and goes on', async () => {
    writeFileSync(path('long.csv'), `id,x\n1,${'x'.repeat(3_000_000)}\n2,y\n`)
    const { rows, rejections } = await tried(path('long.csv'))
    equal(rows, 1)
    match(rejections[0]?.reason ?? '', /limit 1,048,576/)
  })
})

describe('sluice try, of data as it is found', { skip: missingData('csv-edge', 'log-zoo') }, () => {
  it('I5 I6: prints a pipeline that compiles, or one line', async () => {
    const flows = new Map<string, string>()
    const all = readdirSync(DATA, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    for (const { parentPath, name } of all) {
      const { code, stdout, stderr } = await sluiceHere(['try', join(parentPath, name), '--json'])
      if (code === 0) flows.set(`flow${flows.size}.ts`, `// ${name}\n${JSON.parse(stdout).flow}`)
      else deepEqual([code, stderr.trimEnd().split('\n').length], [66, 1], `${parentPath}/${name}: ${stderr}`)
    }
    ok(flows.size > 200, `${flows.size} of ${all.length}`)
    deepEqual(compileStrictly(flows), [])
  })
})

describe('sluice try, of large data', { skip: NO_PEAK }, () => {
  const MB = 1024 * 1024

  function large(name: string, megabytes: number, block: string): string {
    const file = openSync(path(name), 'w')
    const bytes = Buffer.from(block)
    for (let written = 0; written < megabytes * MB; written += bytes.length) writeSync(file, bytes)
    closeSync(file)
    return path(name)
  }

  async function bounded(given: string): Promise<string> {
    const peak = new Peak()
    const { code, stdout, stderr, ms } = await sluice(['try', given], { onStart: (child) => peak.watch(child) })
    equal(code, 0, stderr)
    // From its sources it takes some 70 MB more than as it is published, for what strips their types.
    ok(peak.mb < 256 + 70, `${given}: ${Math.round(peak.mb)} MB`)
    ok(ms < 30_000, `${given}: ${Math.round(ms)} ms`)
    return stdout
  }

  it('I7: reads parts of a file of 1 GB, and estimates the rest', async () => {
    let block = ''
    for (let n = 0; n < 50_000; n += 1) block += `${n},c${n % 7},${n}.25,2026-05-17T10:00:00Z\n`
    const told = await bounded(large('large.csv', 1024, block))
    const [, rows = ''] = /~([\d,]+) rows\. Sampled/.exec(told) ?? []
    const expected = (1024 * MB) / (block.length / 50_000)
    const estimate = Number(rows.replaceAll(',', ''))
    ok(Math.abs(estimate / expected - 1) < 0.05, `${estimate} of ${expected}`)
  })

  it('I7: bounds the time for what is wide, and for long runs of delimiters', async () => {
    const row = (of: (n: number) => string): string => `${Array.from({ length: 3000 }, (_, n) => of(n)).join(',')}\n`
    const body = Array.from({ length: 100 }, (_, at) => row((n) => `${n * at}.5`)).join('')
    writeFileSync(path('broad.csv'), row((n) => `c${n}`) + body.repeat(20))
    match(await bounded(path('broad.csv')), /and 2940 more columns/)
    writeFileSync(path('tabs.txt'), `x"${'\t'.repeat(250_000)}\n`.repeat(4))
    match(await bounded(path('tabs.txt')), /4 rows/)
  })

  it('I7: estimates the rows of a large table', async () => {
    const database = new DatabaseSync(path('large.sqlite'))
    database.exec(`create table numbers (n integer primary key, x text);
      with recursive r(n) as (select 1 union all select n + 1 from r where n < 6000000)
      insert into numbers select n, 'some text ' || n from r`)
    database.close()
    match(await bounded(path('large.sqlite')), /^ {2}(?:~6,000,000 rows\. Sampled|6,000,000 rows$)/m)
  })

  it('I7: says that a line of 500 MB is too long', async () => {
    match(await bounded(large('line.txt', 500, 'x'.repeat(MB))), /rejected/)
  })

  it('I7: looks at the beginning of a large compressed file', async () => {
    let block = ''
    for (let n = 0; n < 200_000; n += 1) block += `{"id":${n},"x":"${Math.sin(n)}"}\n`
    const packed = gzipSync(block)
    const file = openSync(path('large.ndjson.gz'), 'w')
    for (let written = 0; written < 300 * MB; written += packed.length) writeSync(file, packed)
    closeSync(file)
    match(await bounded(path('large.ndjson.gz')), /sampled: the first .* of the content/)
  })
})
