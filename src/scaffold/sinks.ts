// The sinks that a new project can begin with: code for each.

import { call, fromEnv, type Piece, plain } from './code.ts'

/** A sink of a new project. */
export interface SinkTemplate {
  readonly into: Piece
  readonly packages: readonly string[]
  /** How to look at the result, as a sentence. */
  readonly look: string
}

const STORE = 'out/state.sqlite'

/** Where a table has a key, rows with an existing one overwrite it. */
type Keys = { readonly key?: readonly string[] }

/** Name → sink. */
export const SINKS: Readonly<Record<string, (keys: Keys) => SinkTemplate>> = {
  sqlite: (keys) =>
    sink(call('sqliteSink', ['out/result.sqlite'], { table: 'result', ...keys }), 'npx sluice try out/result.sqlite'),
  duckdb: (keys) =>
    sink(
      call('duckdbSink', ['out/result.duckdb'], { table: 'result', ...keys }, 'sluice/duckdb'),
      'npx sluice try out/result.duckdb',
      ['@duckdb/node-api'],
    ),
  postgres: (keys) =>
    sink(
      call(
        'postgresSink',
        [address('postgres://localhost:5432/warehouse')],
        { table: 'result', ...keys },
        'sluice/postgres',
      ),
      'psql "$TARGET_URL" -c "select * from result"',
      ['pg'],
    ),
  ndjson: () => sink(call('ndjsonSink', ['out/files']), "npx sluice try 'out/files/*.ndjson'"),
  csv: () => sink(call('csvSink', ['out/files']), "npx sluice try 'out/files/*.csv'"),
  parquet: () => sink(call('parquetSink', ['out/files']), "npx sluice try 'out/files/*.parquet'", ['hyparquet-writer']),
  stdout: () => sink(kept(call('stdoutSink', [])), 'npm start'),
  callback: () =>
    sink(kept(call('callbackSink', ['print', plain('(rows: readonly object[]) => console.log(rows)')])), 'npm start'),
  http: () => sink(kept(call('httpSink', [address('https://example.com/rows')])), 'the server that TARGET_URL names'),
  kafka: () => broker('kafka', { topic: 'result' }, 'kafka://localhost:9092', ['@platformatic/kafka']),
  nats: () =>
    broker('nats', { subject: 'result' }, 'nats://localhost:4222', ['@nats-io/transport-node', '@nats-io/jetstream']),
  rabbitmq: () => broker('rabbitmq', { routingKey: 'result' }, 'amqp://localhost:5672', ['amqplib']),
  mqtt: () => broker('mqtt', { topic: 'result' }, 'mqtt://localhost:1883', ['mqtt-packet']),
  redis: () => broker('redis', { stream: 'result' }, 'redis://localhost:6379', ['redis']),
}

/** Sinks without transactions keep their checkpoint in a file beside them. */
function kept(into: Piece): Piece {
  return call('checkpointed', [into], { store: STORE })
}

function broker(system: string, options: object, url: string, packages: readonly string[]): SinkTemplate {
  const name = system === 'redis' ? 'redisStreamSink' : `${system}Sink`
  return sink(kept(call(name, [address(url)], options, `sluice/${system}`)), 'a client of the broker', packages)
}

function address(example: string): Piece {
  return fromEnv('TARGET_URL', example)
}

function sink(into: Piece, look: string, packages: readonly string[] = []): SinkTemplate {
  return { into, look, packages }
}
