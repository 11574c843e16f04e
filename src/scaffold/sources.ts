// The sources that a new project can begin with: code for each, and data to begin with where that is text.

import { call, type Piece, plain } from './code.ts'
import { messages, orders, type RowKind, requests, texts } from './rows.ts'

/** A source of a new project. */
export interface SourceTemplate {
  readonly from: Piece
  readonly rows: RowKind
  /** Packages that it needs beside Sluice. */
  readonly packages: readonly string[]
  /** Environment variables that it reads, each with an example. */
  readonly env: Readonly<Record<string, string>>
  /** Files that it reads, with data to begin with. */
  readonly files: Readonly<Record<string, string>>
  /** What a person has to provide, if it is not in `files` and `env`. */
  readonly reads?: string
}

const URL_VARIABLE = 'SOURCE_URL'
const ADDRESS = plain(`process.env.${URL_VARIABLE} ?? ''`)
const JSON_FORMAT = call('json<Order>', [])
const LOG = `203.0.113.7 - - [17/May/2026:10:05:03 +0000] "GET / HTTP/1.1" 200 512 "-" "curl/8.5.0"
203.0.113.7 - - [17/May/2026:10:05:04 +0000] "GET /missing HTTP/1.1" 404 12 "-" "curl/8.5.0"
`
const SYSLOG = `<34>1 2026-05-17T10:05:03.003Z mail sshd 812 - - Accepted publickey for ann
<38>1 2026-05-17T10:05:04.004Z mail - - - - session opened
`

interface Given {
  readonly env?: string
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
  values: (key) => source(key, call('valuesSource<Order>', [plain(`[${orders(key).kept}, ${orders(key).dropped}]`)])),
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
    source(key, call('postgresSource<Order>', [ADDRESS], { table: 'orders' }, 'sluice/postgres'), {
      env: 'postgres://ann:secret@localhost:5432/shop',
      packages: ['pg', 'pg-cursor'],
    }),
  http: (key) => source(key, call('httpSource<Order>', [ADDRESS]), { env: 'https://example.com/orders' }),
  sse: (key) => source(key, call('sseSource', [ADDRESS, JSON_FORMAT]), { env: 'https://example.com/changes' }),
  websocket: (key) =>
    source(key, call('webSocketSource', [ADDRESS, JSON_FORMAT], {}, 'sluice/websocket'), {
      env: 'wss://example.com/feed',
      packages: ['ws'],
    }),
  webhook: (key) =>
    source(
      key,
      call('webhookSource', [
        plain(
          `{ port: Number(process.env.PORT ?? 8080), path: '/orders', token: process.env.WEBHOOK_TOKEN ?? 'change me, I am public' }`,
        ),
        JSON_FORMAT,
      ]),
      { reads: 'what is posted to /orders: set PORT and WEBHOOK_TOKEN' },
    ),
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

function source(key: string, from: Piece, given: Given = {}): SourceTemplate {
  const { env, packages = [], files = {}, reads, rows = orders(key) } = given
  return {
    from,
    rows,
    packages,
    files,
    env: env === undefined ? {} : { [URL_VARIABLE]: env },
    ...(reads === undefined ? {} : { reads }),
  }
}

function broker(
  key: string,
  system: string,
  options: object,
  env: string,
  packages: readonly string[],
): SourceTemplate {
  const name = system === 'redis' ? 'redisStreamSource' : `${system}Source`
  return source(key, call(name, [ADDRESS, JSON_FORMAT], options, `sluice/${system}`), { env, packages })
}

function lines(key: string): string {
  const rows = [
    [1, 'Ann', 12.5],
    [2, 'Ben', 0],
    [3, 'Cem', 7],
  ]
  return rows.map(([id, customer, amount]) => `${JSON.stringify({ [key]: id, customer, amount })}\n`).join('')
}
