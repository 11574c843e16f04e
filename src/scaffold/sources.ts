// The sources that a new project can begin with: code for each, and data to begin with where that is text.

import { call, fromEnv, type Piece, plain } from './code.ts'
import { messages, orders, orderType, type RowKind, requests, texts } from './rows.ts'

/** A source of a new project. */
export interface SourceTemplate {
  readonly from: Piece
  readonly rows: RowKind
  /** Packages that it needs beside Sluice. */
  readonly packages: readonly string[]
  /** Files that it reads, with data to begin with. */
  readonly files: Readonly<Record<string, string>>
  /** What a person has to provide, if it is not in `files` and `env`. */
  readonly reads?: string
}

const JSON_FORMAT = call('json<Order>', [])
const PORT = fromEnv('PORT', '8080')
const LOG = `203.0.113.7 - - [17/May/2026:10:05:03 +0000] "GET / HTTP/1.1" 200 512 "-" "curl/8.5.0"
203.0.113.7 - - [17/May/2026:10:05:04 +0000] "GET /missing HTTP/1.1" 404 12 "-" "curl/8.5.0"
`
const SYSLOG = `<34>1 2026-05-17T10:05:03.003Z mail sshd 812 - - Accepted publickey for ann
<38>1 2026-05-17T10:05:04.004Z mail - - - - session opened
`

interface Given {
  readonly packages?: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  readonly reads?: string
  readonly rows?: RowKind
}

/** Name → source; the name of the key's field is the user's. */
export const SOURCES: Readonly<Record<string, (key: string) => SourceTemplate>> = {
  csv: (key) =>
    source(
      key,
      call('csvSource', ['data/*.csv'], { columns: { [key]: 'integer', customer: 'text', amount: 'real' } }),
      { files: { 'data/orders.csv': `${key},customer,amount\n1,Ann,12.5\n2,Ben,0\n3,Cem,7\n4,Dan,a lot\n` } },
    ),
  ndjson: (key) =>
    source(key, call('ndjsonSource<Order>', ['data/*.ndjson']), { files: { 'data/orders.ndjson': lines(key) } }),
  json: (key) =>
    source(key, call('jsonArraySource<Order>', ['data/*.json']), {
      files: { 'data/orders.json': `[${lines(key).trimEnd().replaceAll('\n', ',\n ')}]\n` },
    }),
  parquet: (key) => source(key, call('parquetSource<Order>', ['data/*.parquet']), { reads: 'Parquet files in data/' }),
  'access-log': (key) =>
    source(key, call('fileSource', ['data/access.log*', call('accessLog', [])]), {
      rows: requests,
      files: { 'data/access.log': LOG },
    }),
  syslog: (key) =>
    source(key, call('fileSource', ['data/syslog*', call('syslog', [])]), {
      rows: messages,
      files: { 'data/syslog': SYSLOG },
    }),
  lines: (key) =>
    source(key, call('lines', ['data/*.txt'], { rows: true }), {
      rows: texts,
      files: { 'data/notes.txt': 'all is well\nan error\n' },
    }),
  tail: (key) =>
    source(key, call('tailSource', ['data/access.log', call('accessLog', [])]), {
      rows: requests,
      files: { 'data/access.log': LOG },
    }),
  values: (key) =>
    source(key, call('valuesSource<Order>', [plain(`[${orders(key).kept}, ${orders(key).dropped}]`)]), {
      reads: 'values',
    }),
  sqlite: (key) =>
    source(key, call('sqliteSource<Order>', ['data/shop.sqlite'], { table: 'orders' }), {
      reads: 'the table orders of data/shop.sqlite',
    }),
  duckdb: (key) =>
    source(key, call('duckdbSource<Order>', ['data/shop.duckdb'], { table: 'orders' }, 'sluice/duckdb'), {
      packages: ['@duckdb/node-api'],
      reads: 'the table orders of data/shop.duckdb',
    }),
  postgres: (key) =>
    source(
      key,
      call(
        'postgresSource<Order>',
        [address('postgres://localhost:5432/shop')],
        { table: 'orders' },
        'sluice/postgres',
      ),
      {
        packages: ['pg', 'pg-cursor'],
      },
    ),
  http: (key) => source(key, call('httpSource<Order>', [address('https://example.com/orders')])),
  sse: (key) => source(key, call('sseSource', [address('https://example.com/changes'), JSON_FORMAT])),
  websocket: (key) =>
    source(key, call('webSocketSource', [address('wss://example.com/feed'), JSON_FORMAT], {}, 'sluice/websocket'), {
      packages: ['ws'],
    }),
  webhook: (key) =>
    source(key, call('webhookSource', [plain(`{ port: Number(${PORT.code}), path: '/orders' }`), JSON_FORMAT]), {
      reads: 'what is posted to http://127.0.0.1:8080/orders (PORT sets another port)',
    }),
  'syslog-server': (key) =>
    source(key, call('syslogSource', [plain('{ udp: Number(process.env.PORT ?? 5514) }')]), {
      rows: messages,
      reads: 'what is sent to UDP port 5514',
    }),
  kafka: (key) => broker(key, 'kafka', { topic: 'orders' }, 'kafka://localhost:9092', ['@platformatic/kafka']),
  nats: (key) =>
    broker(key, 'nats', { stream: 'ORDERS' }, 'nats://localhost:4222', [
      '@nats-io/transport-node',
      '@nats-io/jetstream',
    ]),
  rabbitmq: (key) => broker(key, 'rabbitmq', { queue: 'orders' }, 'amqp://localhost:5672', ['amqplib']),
  mqtt: (key) =>
    broker(key, 'mqtt', { topics: 'orders', clientId: 'orders' }, 'mqtt://localhost:1883', ['mqtt-packet']),
  redis: (key) => broker(key, 'redis', { stream: 'orders' }, 'redis://localhost:6379', ['redis']),
}

function address(example: string): Piece {
  return fromEnv('SOURCE_URL', example)
}

function source(key: string, from: Piece, given: Given = {}): SourceTemplate {
  const { packages = [], files = {}, reads, rows = orders(key) } = given
  const isTyped = from.code.includes('<Order>')
  return {
    from: isTyped ? { ...from, before: orderType(key) } : from,
    rows,
    packages,
    files,
    ...(reads === undefined ? {} : { reads }),
  }
}

function broker(
  key: string,
  system: string,
  options: object,
  url: string,
  packages: readonly string[],
): SourceTemplate {
  const name = system === 'redis' ? 'redisStreamSource' : `${system}Source`
  return source(key, call(name, [address(url), JSON_FORMAT], options, `sluice/${system}`), { packages })
}

function lines(key: string): string {
  const rows = [
    [1, 'Ann', 12.5],
    [2, 'Ben', 0],
    [3, 'Cem', 7],
  ]
  return rows.map(([id, customer, amount]) => `${JSON.stringify({ [key]: id, customer, amount })}\n`).join('')
}
