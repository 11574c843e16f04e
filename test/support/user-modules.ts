// Modules as users write them, for the compiler: one that exports what it can, and usual mistakes.

/** Exports of all kinds, none annotated: a project that emits declarations names their types. */
export const EXPORTS = `import {
  accessLog, collectAll, count, countDistinct, countWindow, csvSource, duration, early, fileSource, first, flow, fold, globalWindow, json,
  largest, last, lines, max, mean, min, ndjsonSource, param, pipeline, processingTime, quantile, session, sliding, smallest,
  sqliteSink, sum, topK, tumbling, valuesSource,
} from 'sluice'
const log = () => flow(fileSource('*.log', accessLog()))
export const requests = log()
export const time = ({ time }: { readonly time: number }) => time
export const all = log().aggregate({
  n: count(), sizes: sum(({ bytes }) => bytes ?? 0), mean: mean(({ bytes }) => bytes), least: min(({ time }) => time),
  most: max(({ path }) => path ?? ''), clients: countDistinct(({ host }) => host), p99: quantile(({ bytes }) => bytes ?? 0, 0.99),
  paths: topK(10, ({ path }) => path ?? ''), all: collectAll(({ path }) => path ?? ''), first: first(({ path }) => path ?? ''), last: last(({ path }) => path ?? ''),
  big: largest(3, ({ bytes }) => bytes ?? 0), small: smallest(3, ({ bytes }) => bytes ?? 0),
  own: fold({ create: () => new Map<string, number>(), add: (state) => state }),
})
export const windows = [
  tumbling('1m', time), sliding('1h', '5m', time), session('30m', time, { triggers: [early('1m')] }), countWindow(3),
  globalWindow(), processingTime('1s'),
]
export const minutes = log().keyBy(({ path }) => path ?? '').window(tumbling('1m', time)).aggregate({ n: count(), mean: mean(({ bytes }) => bytes) })
export const open = log().keyBy(({ path }) => path ?? '').window(tumbling(duration('1m'), time))
export const grouped = log().groupBy(({ path }) => path ?? '')
export const fired = log().window(session('1h', time)).reduce(() => 0, (n) => n + 1).onTrigger(({ state }) => ({ events: [state] }))
export const folded = log().keyBy(({ path }) => path ?? '').fold(() => 0, (n) => n + 1)
export const joined = log().join(flow(csvSource('a.csv', { columns: { id: 'integer' } })), { mode: 'left', left: ({ path }) => path ?? '', right: ({ id }) => \`\${id}\` })
export const batches = log().batch({ size: 10 }).mapAsync(async (batch) => batch.length)
export const enriched = log().enrich({ key: ({ host }) => host, lookup: async (host) => host.length, into: (request, n) => ({ ...request, n }) })
export const text = flow(lines('a.txt'))
export const rows = flow(ndjsonSource<{ id: number }>('a.ndjson'))
export const things = fileSource('*.json', json())
export const source = valuesSource([1, 2])
export const sink = sqliteSink('x.db', { table: 't', key: ['id'] })
export const params = { db: param.string('x.db'), size: param.number(1), kind: param.choice(['a', 'b'], 'a') }
export default pipeline('job', { params, from: things, into: ({ db }) => sqliteSink(db, { table: 't' }) })
`

/** A line of a module, and what the compiler's message must say. */
export type Mistake = readonly [code: string, says: readonly string[]]

export const BEFORE_MISTAKES = `import {
  accessLog, count, fileSource, httpSink, param, pipeline, fanOut, sqliteSink, tumbling,
} from 'sluice'
const from = fileSource('*.log', accessLog())
const into = sqliteSink('x.db', { table: 't' })
`

export const MISTAKES: Readonly<Record<string, Mistake>> = {
  'a sink that is not wrapped': [
    `pipeline('a', { from, into: () => httpSink('http://localhost/rows') })`,
    ["'wrap it in checkpointed(…, { store })'"],
  ],
  'a window without an aggregate': [
    `pipeline('a', { from, flow: (r) => r.window(tumbling('1m', ({ time }) => time)), into })`,
    ["'follow window(…) and keyBy(…) with aggregate(…) or another reduction'"],
  ],
  'keys without an aggregate': [
    `pipeline('a', { from, flow: (r) => r.keyBy(({ path }) => path ?? ''), into })`,
    ["'follow window(…) and keyBy(…) with aggregate(…) or another reduction'"],
  ],
  'a key that rows do not have': [
    `pipeline('a', { from, into: () => sqliteSink('x.db', { table: 't', key: ['nokey'] }) })`,
    ["Property 'nokey' is missing in type 'AccessRequest'"],
  ],
  'a key that rows of the flow do not have': [
    `pipeline('a', { from, flow: (r) => r.map(({ status }) => ({ status })), into: () => sqliteSink('x.db', { table: 't', key: ['file'] }) })`,
    ["Property 'file' is missing in type '{ status: number; }'"],
  ],
  'a key that rows do not have, where the sink takes a parameter': [
    `pipeline('a', { params: { db: param.string('x') }, from, into: ({ db }) => sqliteSink(db, { table: 't', key: ['nokey'] }) })`,
    ["Property 'nokey' is missing in type 'AccessRequest'"],
  ],
  'a duration in words': [
    `tumbling('1 minute', (at: number) => at)`,
    [`'"1 minute"' is not assignable to parameter of type 'Duration'`],
  ],
  'units in the wrong order': [
    `tumbling('30s1m', (at: number) => at)`,
    [`'"30s1m"' is not assignable to parameter of type 'Duration'`],
  ],
  'a text that may be no duration': [
    `tumbling(String(1), (at: number) => at)`,
    ["'string' is not assignable to parameter of type 'Duration'"],
  ],
  'a source where a sink belongs': [
    `pipeline('a', { from, into: fileSource('x', accessLog()) })`,
    ["from type 'Sink<"],
  ],
  'a misspelt field': [
    `pipeline('a', { from, flow: (r) => r.filter((x) => x.statu > 1), into })`,
    ["Did you mean 'status'?"],
  ],
  'a misspelt option': [`sqliteSink('x.db', { tabel: 't' })`, ["Did you mean to write 'table'?"]],
  'a route by a field that rows do not have': [
    `pipeline('a', { params: { db: param.string('x') }, from, into: ({ db }) => fanOut(sqliteSink(db, { table: 't' }), { spool: 's', branches: { b: { into, where: (r) => r.nope } } }) })`,
    ["Property 'nope' does not exist on type 'AccessRequest'"],
  ],
}

/** What compiles: what is alike, done right. */
export const FINE = `
pipeline('a', { from, into })
pipeline('a', { from: () => from, into: () => sqliteSink('x.db', { table: 't', key: ['file', 'offset'] }) })
pipeline('a', { from, flow: (r) => r.map((x) => ({ ...x, y: 1 })), into: () => sqliteSink('x.db', { table: 't', key: ['y'] }), top: { y: (row) => row.y } })
pipeline('a', { from, flow: (r) => r.window(tumbling('1m30s', ({ time }) => time)).aggregate({ n: count() }).map(({ window, n }) => ({ at: new Date(window.startMs), till: window.endMs + 1, n })), into })
pipeline('a', { from, flow: (r) => r.window(tumbling('1d2h3m4.5s6ms', ({ time }) => time)).reduce(() => 0, (n) => n + 1).onTrigger(({ window }) => ({ events: [window.endMs - window.startMs] })), into })
pipeline('a', { params: { db: param.string('x') }, from, flow: (r) => r.map(({ status }) => ({ status })), into: ({ db }) => sqliteSink(db, { table: 't', key: ['status'] }) })
pipeline('a', { params: { db: param.string('x') }, from, into: ({ db }) => fanOut(sqliteSink(db, { table: 't', key: ['file'] }), { spool: 's', branches: { b: { into, where: (r) => r.status > 500 } } }) })
`
