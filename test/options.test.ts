// Every function of the package that takes options refuses one that it does not know.

import { rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import * as beamDoor from '../src/beam/index.ts'
import * as duckdbDoor from '../src/connect/duckdb/index.ts'
import * as connectDoor from '../src/connect/index.ts'
import * as kafkaDoor from '../src/connect/kafka/index.ts'
import * as mqttDoor from '../src/connect/mqtt/index.ts'
import * as natsDoor from '../src/connect/nats/index.ts'
import * as postgresDoor from '../src/connect/postgres/index.ts'
import * as rabbitmqDoor from '../src/connect/rabbitmq/index.ts'
import * as redisDoor from '../src/connect/redis/index.ts'
import * as websocketDoor from '../src/connect/websocket/index.ts'
import * as sluice from '../src/index.ts'
import * as stage from '../src/stage/index.ts'
import * as testing from '../src/testing/index.ts'

/** Calls one function with an option of `wrong` among those that are right. */
type Call = (wrong: never) => unknown
type Calls = Readonly<Record<string, Call | 'takes none'>>

const { flow, json, sum, callbackSink } = sluice
const numbers = flow([1, 2])
const rows = flow([{ n: 1, text: 'a b' }])
const windowed = numbers.window(sluice.tumbling(1, (n) => n))
const by = (n: number): number => n
const into = (): sluice.Sink<unknown> => sluice.sqliteSink('never-opened.db', { table: 't' })
const job = sluice.pipeline('job', { from: () => sluice.valuesSource([1]), into: () => into() as sluice.Sink<number> })
const make = (): never => {
  throw new Error('nothing is made')
}

const MAIN: Calls = {
  accessLog: (wrong) => sluice.accessLog({ dialect: 'common', ...(wrong as object) }),
  batchOf: 'takes none',
  checkpointed: (wrong) =>
    sluice.checkpointed(
      callbackSink('f', () => {}),
      { store: 'a.db', ...(wrong as object) },
    ),
  collect: (wrong) => sluice.collect(numbers, wrong),
  collectAll: (wrong) => sluice.collectAll(by, wrong),
  count: 'takes none',
  countDistinct: 'takes none',
  countWindow: (wrong) => sluice.countWindow(2, wrong),
  csvSource: (wrong) => sluice.csvSource('a.csv', wrong),
  csvSink: (wrong) => sluice.csvSink('out', wrong),
  csvLine: (wrong) => sluice.csvLine([1], wrong),
  duration: 'takes none',
  early: 'takes none',
  every: 'takes none',
  explain: (wrong) => sluice.explain(numbers, wrong),
  fileSource: (wrong) => sluice.fileSource('a.txt', json(), wrong),
  first: 'takes none',
  flow: (wrong) => flow([1], wrong),
  flows: (wrong) => sluice.flows([[1]], wrong),
  fold: (wrong) => sluice.fold({ create: () => 0, add: by, ...(wrong as object) }),
  form: 'takes none',
  globalWindow: (wrong) => sluice.globalWindow(wrong),
  httpSink: (wrong) => sluice.httpSink('http://localhost', wrong),
  httpSource: (wrong) => sluice.httpSource('http://localhost', wrong),
  interval: 'takes none',
  isSluiceError: 'takes none',
  json: (wrong) => json(wrong),
  jsonArraySource: (wrong) => sluice.jsonArraySource('a.json', wrong),
  largest: 'takes none',
  last: 'takes none',
  late: 'takes none',
  deadLetterAt: 'takes none',
  lineLogger: (wrong) => sluice.lineLogger({ format: 'text', write: () => {}, wallMs: () => 0, ...(wrong as object) }),
  lines: (wrong) => sluice.lines('a.txt', wrong),
  max: 'takes none',
  mean: 'takes none',
  min: 'takes none',
  ndjsonSource: (wrong) => sluice.ndjsonSource('a.ndjson', wrong),
  ndjsonSink: (wrong) => sluice.ndjsonSink('out', wrong),
  onMark: 'takes none',
  parquetSource: (wrong) => sluice.parquetSource('a.parquet', wrong),
  parquetSink: (wrong) => sluice.parquetSink('out', wrong),
  param: (wrong) => sluice.param(z.string(), wrong),
  pipeline: (wrong) => sluice.pipeline('p', { from: make, into, ...(wrong as object) } as never),
  processingTime: (wrong) => sluice.processingTime('1s', wrong),
  prometheusText: 'takes none',
  quantile: (wrong) => sluice.quantile(by, 0.5, wrong),
  readOf: 'takes none',
  replayDeadLetters: (wrong) => sluice.replayDeadLetters(job, wrong),
  run: (wrong) => sluice.run(numbers, wrong),
  sseSource: (wrong) => sluice.sseSource('http://localhost', json(), wrong),
  session: (wrong) => sluice.session('1s', by, wrong),
  fanOut: (wrong) => sluice.fanOut(into(), { spool: 's', branches: { b: { into: into() } }, ...(wrong as object) }),
  sliding: (wrong) => sluice.sliding('2s', '1s', by, wrong),
  smallest: 'takes none',
  sqliteSink: (wrong) => sluice.sqliteSink('a.db', { table: 't', ...(wrong as object) }),
  sqliteSource: (wrong) => sluice.sqliteSource('a.db', { table: 't', ...(wrong as object) }),
  start: (wrong) => sluice.start(numbers, wrong),
  startDashboard: (wrong) => sluice.startDashboard(wrong),
  startPipeline: (wrong) => sluice.startPipeline(job, wrong),
  stdoutSink: (wrong) => sluice.stdoutSink(String, wrong),
  stream: (wrong) => sluice.stream(numbers, wrong),
  sum: 'takes none',
  syslogSource: (wrong) => sluice.syslogSource({ udp: 0 }, wrong),
  syslog: (wrong) => sluice.syslog(wrong),
  tailSource: (wrong) => sluice.tailSource('a.log', json(), wrong),
  telemetry: 'takes none',
  textLines: (wrong) => sluice.textLines(wrong),
  ticksSource: (wrong) => sluice.ticksSource(1, wrong),
  callbackSink: (wrong) => callbackSink('f', () => {}, wrong),
  topK: (wrong) => sluice.topK(3, by, wrong),
  tumbling: (wrong) => sluice.tumbling('1s', by, wrong),
  valuesSource: 'takes none',
  watchedRun: 'takes none',
  webhookSource: (wrong) => sluice.webhookSource({ port: 0, ...(wrong as object) } as never, json()),
}

/** Doors of systems. */
const SYSTEMS: Readonly<Record<string, readonly [door: object, calls: Calls]>> = {
  'sluice/beam': [
    beamDoor,
    {
      beam: (wrong) => beamDoor.beam('localhost:8099', wrong),
      run: (wrong) => beamDoor.run('job.ts', { on: beamDoor.beam('localhost:8099'), ...(wrong as object) }),
    },
  ],
  'sluice/duckdb': [
    duckdbDoor,
    {
      duckdbSink: (wrong) => duckdbDoor.duckdbSink('a.duckdb', { table: 't', ...(wrong as object) }),
      duckdbSource: (wrong) => duckdbDoor.duckdbSource('a.duckdb', { table: 't', ...(wrong as object) }),
    },
  ],
  'sluice/kafka': [
    kafkaDoor,
    {
      kafkaSource: (wrong) => kafkaDoor.kafkaSource('kafka://localhost', json(), { topic: 't', ...(wrong as object) }),
      kafkaSink: (wrong) => kafkaDoor.kafkaSink('kafka://localhost', { topic: 't', ...(wrong as object) }),
    },
  ],
  'sluice/mqtt': [
    mqttDoor,
    {
      mqttSource: (wrong) =>
        mqttDoor.mqttSource('mqtt://localhost', json(), { topics: 't', clientId: 'c', ...(wrong as object) }),
      mqttSink: (wrong) => mqttDoor.mqttSink('mqtt://localhost', { topic: 't', ...(wrong as object) } as never),
    },
  ],
  'sluice/nats': [
    natsDoor,
    {
      natsSource: (wrong) => natsDoor.natsSource('nats://localhost', json(), { stream: 's', ...(wrong as object) }),
      natsSink: (wrong) => natsDoor.natsSink('nats://localhost', { subject: 's', ...(wrong as object) }),
    },
  ],
  'sluice/postgres': [
    postgresDoor,
    {
      postgresSink: (wrong) =>
        postgresDoor.postgresSink('postgres://localhost/d', { table: 't', ...(wrong as object) }),
      postgresSource: (wrong) =>
        postgresDoor.postgresSource('postgres://localhost/d', { table: 't', ...(wrong as object) }),
    },
  ],
  'sluice/rabbitmq': [
    rabbitmqDoor,
    {
      rabbitmqSource: (wrong) =>
        rabbitmqDoor.rabbitmqSource('amqp://localhost', json(), { queue: 'q', ...(wrong as object) }),
      rabbitmqSink: (wrong) =>
        rabbitmqDoor.rabbitmqSink('amqp://localhost', { routingKey: () => 'r', ...(wrong as object) } as never),
    },
  ],
  'sluice/redis': [
    redisDoor,
    {
      redisStreamSource: (wrong) =>
        redisDoor.redisStreamSource('redis://localhost', json(), { stream: 's', ...(wrong as object) }),
      redisStreamSink: (wrong) =>
        redisDoor.redisStreamSink('redis://localhost', { stream: 's', ...(wrong as object) } as never),
    },
  ],
  'sluice/websocket': [
    websocketDoor,
    {
      webSocketSource: (wrong) => websocketDoor.webSocketSource('ws://localhost', json(), wrong),
    },
  ],
}

/** What connectors are made of is called by connectors: it takes what their types say. */
const CONNECT: Calls = Object.fromEntries(
  [
    ...['Address', 'IdDedup', 'SequenceDedup', 'PushReader', 'NoDedup', 'Pacer', 'SqlInspector', 'SqlWriter'],
    ...[
      'adaptTable',
      'all',
      'batchOf',
      'bodies',
      'bodyReader',
      'brokerAddress',
      'brokerSink',
      'checkTables',
      'connectReader',
    ],
    ...['createFile', 'deadLetter', 'ensureTable', 'faultOfRow', 'finishFile', 'foldName', 'identified', 'identityAt'],
    ...['deadLetterAt', 'listenReader', 'livePosition', 'liveSource', 'loadPackage', 'makeFolder', 'namedPosition'],
    ...[
      'optionInvalid',
      'quoteName',
      'readOf',
      'removeFile',
      'renameFile',
      'request',
      'run',
      'runAsync',
      'runSync',
      'storable',
    ],
    ...['sqlSink', 'syncFolder', 'tracked', 'upsert', 'writeAll'],
  ].map((name) => [name, 'takes none']),
)

const STAGE: Calls = {
  broadcast: 'takes none',
  connect: (wrong) => stage.connect([1], stage.consumer({ onEvents: () => {} }), wrong),
  consumer: (wrong) => stage.consumer({ onEvents: () => {}, ...(wrong as object) }),
  demand: (wrong) => stage.demand(wrong),
  demandPlan: 'takes none',
  demandWindow: 'takes none',
  fair: (wrong) => stage.fair(wrong),
  from: (wrong) => stage.from([1], wrong),
  group: (wrong) => stage.group({}, wrong),
  into: 'takes none',
  partition: (wrong) => stage.partition({ partitions: 2, ...(wrong as object) }),
  priority: 'takes none',
  producer: (wrong) => stage.producer(wrong),
  producerConsumer: (wrong) => stage.producerConsumer({ onEvents: () => [], ...(wrong as object) }),
  range: 'takes none',
  subscribe: (wrong) => stage.subscribe(stage.consumer({ onEvents: () => {} }), stage.producer({}), wrong),
  tasks: (wrong) => stage.tasks({ concurrency: 1, task: () => {}, ...(wrong as object) }),
  toBatches: (wrong) => stage.toBatches([1], wrong),
  toIterable: (wrong) => stage.toIterable([1], wrong),
  toReadable: 'takes none',
  toWebStream: 'takes none',
}

const TESTING: Calls = {
  ManualClock: (wrong) => new testing.ManualClock(wrong),
  Probe: (wrong) => new testing.Probe(wrong),
  RandomScheduler: (wrong) => new testing.RandomScheduler({ seed: 1, ...(wrong as object) }),
  Scripted: (wrong) => new testing.Scripted([], wrong),
  atRest: 'takes none',
  dispatcherConformance: (wrong) =>
    testing.dispatcherConformance({ name: 'd', make, gives: 'to-one', ...(wrong as object) }),
  liveSourceConformance: (wrong) => testing.liveSourceConformance({ name: 's', make, ...(wrong as object) }),
  oneAtATime: 'takes none',
  twoPhaseSinkConformance: (wrong) =>
    testing.twoPhaseSinkConformance({ name: 's', make, row: make, ...(wrong as object) }),
  seededRandom: 'takes none',
  sinkConformance: (wrong) => testing.sinkConformance({ name: 's', make, row: make, ...(wrong as object) }),
  sourceConformance: (wrong) => testing.sourceConformance({ name: 's', make, ...(wrong as object) }),
  testPipeline: async (wrong) => await testing.testPipeline(job, { given: [], ...(wrong as object) }),
}

const FLOW: Calls = {
  aggregate: (wrong) => numbers.aggregate({ n: sum(by) }, wrong),
  batch: (wrong) => numbers.batch({ size: 1, ...(wrong as object) }),
  departition: 'takes none',
  emit: 'takes none',
  emitAndReduce: (wrong) => numbers.emitAndReduce(make, make, wrong),
  enrich: (wrong) => numbers.enrich({ key: by, lookup: by, into: by, ...(wrong as object) }),
  filter: (wrong) => numbers.filter(Boolean, wrong),
  flatMap: (wrong) => numbers.flatMap(() => [], wrong),
  groupBy: (wrong) => numbers.groupBy(by, by, wrong),
  join: (wrong) => numbers.join(numbers, { left: by, right: by, ...(wrong as object) }),
  keyBy: 'takes none',
  map: (wrong) => numbers.map(by, wrong),
  mapAsync: (wrong) => numbers.mapAsync(by, wrong),
  mapBatch: (wrong) => numbers.mapBatch((batch) => batch, { size: 1, ...(wrong as object) }),
  merge: 'takes none',
  onTrigger: 'takes none',
  partition: (wrong) => numbers.partition(wrong),
  reduce: (wrong) => numbers.reduce(make, make, wrong),
  reject: (wrong) => numbers.reject(Boolean, wrong),
  shuffle: (wrong) => numbers.shuffle(wrong),
  take: (wrong) => numbers.take(1, wrong),
  takeSort: (wrong) => numbers.takeSort(1, by, wrong),
  throughStages: (wrong) => numbers.throughStages(make, wrong),
  uniq: (wrong) => numbers.uniq(by, wrong),
  where: (wrong) => rows.where('n', '>', 1, wrong),
  select: 'takes none',
  derive: (wrong) => rows.derive('m', ['n'], (n) => n, wrong),
  split: (wrong) => rows.split('text', ' ', wrong),
  sort: (wrong) => rows.sort('n', wrong),
  top: (wrong) => rows.top(1, 'n', wrong),
  validate: (wrong) => numbers.validate({ '~standard': { version: 1, vendor: 'test', validate: make } }, wrong),
  window: 'takes none',
}

const WINDOWED: Calls = {
  aggregate: (wrong) => windowed.aggregate({ n: sum(by) }, wrong),
  emitAndReduce: (wrong) => windowed.emitAndReduce(make, make, wrong),
  groupBy: (wrong) => windowed.groupBy(by, by, wrong),
  reduce: (wrong) => windowed.reduce(make, make, wrong),
  uniq: (wrong) => windowed.uniq(by, wrong),
}

const KEYED: Calls = {
  aggregate: (wrong) => numbers.keyBy(by).aggregate({ n: sum(by) }, wrong),
  fold: 'takes none',
  window: 'takes none',
}

/** Options inside options. */
const INNER: Readonly<Record<string, Call>> = {
  'retry of mapAsync': (wrong) => numbers.mapAsync(by, { retry: { attempts: 1, ...(wrong as object) } }),
  'bytes of batch': (wrong) => numbers.batch({ size: 1, bytes: { limit: 1, of: by, ...(wrong as object) } }),
  'inFlight of run': (wrong) => sluice.run(numbers, { inFlight: wrong }),
  'maxDeadLetters of startPipeline': (wrong) =>
    sluice.startPipeline(job, { maxDeadLetters: { count: 1, ...(wrong as object) } }),
  'backoff of tasks': (wrong) =>
    stage.tasks({ concurrency: 1, task: () => {}, backoff: { firstMs: 1, capMs: 1, ...(wrong as object) } }),
  'backoff of group': (wrong) => stage.group({}, { backoff: { firstMs: 1, capMs: 1, ...(wrong as object) } }),
  'a member of group': (wrong) => stage.group({ one: { start: make, ...(wrong as object) } }),
  'from of a member': (wrong) => stage.group({ one: { start: make, from: [{ stage: 'one', ...(wrong as object) }] } }),
  'roll of csvSink': (wrong) => sluice.csvSink('out', { roll: wrong }),
  'schema of postgres': (wrong) =>
    postgresDoor.postgresSink('postgres://localhost/d', { table: 't', schema: wrong } as never),
  'a connection of postgres': (wrong) => postgresDoor.postgresSink(wrong, { table: 't' }),
  'a branch of several': (wrong) =>
    sluice.fanOut(into(), { spool: 's', branches: { b: { into: into(), ...(wrong as object) } } }),
  'ports of syslog': (wrong) => sluice.syslogSource({ udp: 0, ...(wrong as object) } as never),
  'signature of webhook': (wrong) =>
    sluice.webhookSource(
      { port: 0, signature: { header: 'h', secret: 'a long secret', ...(wrong as object) } },
      json(),
    ),
}

const own = (value: object): string[] =>
  Object.entries(value).flatMap(([name, one]) => (typeof one === 'function' ? [name] : []))
const methods = (value: object): string[] =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(value)).filter((name) => name !== 'constructor')

const PARTS: readonly (readonly [what: string, names: string[], calls: Calls])[] = [
  ['sluice', own(sluice).filter((name) => !/^(Rejection|SluiceError)$/.test(name)), MAIN],
  ['sluice/connect', own(connectDoor).filter((name) => name !== 'Rejection'), CONNECT],
  ...Object.entries(SYSTEMS).map(([name, [door, calls]]) => [name, own(door), calls] as const),
  ['sluice/stage', own(stage), STAGE],
  ['sluice/testing', own(testing), TESTING],
  ['a flow', methods(numbers), FLOW],
  ['a flow in windows', methods(windowed), WINDOWED],
  ['a flow by key', methods(numbers.keyBy(by)), KEYED],
]

/** Fails, at once or by its promise, naming the option. */
async function refuses(call: Call): Promise<void> {
  await rejects(
    async () => await call({ wrongOption: 1 } as never),
    /^TypeError: .*has no option wrongOption: it takes /,
  )
}

for (const [what, names, calls] of PARTS) {
  describe(`options of ${what}`, () => {
    it('L65: whatever is exported is listed here', () => {
      const listed = Object.keys(calls)
      const missing = names.filter((name) => !listed.includes(name))
      const gone = listed.filter((name) => !names.includes(name))
      if (missing.length + gone.length > 0) throw new Error(`not listed: ${missing}; not there: ${gone}`)
    })
    for (const [name, call] of Object.entries(calls)) {
      if (call !== 'takes none') it(`L65: ${name} refuses one that it does not know`, () => refuses(call))
    }
  })
}

describe('options inside options', () => {
  for (const [name, call] of Object.entries(INNER)) {
    it(`L65: ${name} refuse one that is not known`, () => refuses(call))
  }
})
