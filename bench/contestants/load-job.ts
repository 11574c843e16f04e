// An access log into a table of any store, by one pipeline: rows only added, or by a key.

import { accessLog, count, fileSource, param, pipeline, sqliteSink, sum, tumbling } from 'sluice'
import { duckdbSink } from 'sluice/duckdb'
import { postgresSink } from 'sluice/postgres'

const STORES = {
  sqlite: (target: string, key: readonly string[] | undefined) =>
    sqliteSink(target, { table: 'requests', ...(key === undefined ? {} : { key }) }),
  duckdb: (target: string, key: readonly string[] | undefined) =>
    duckdbSink(target, { table: 'requests', ...(key === undefined ? {} : { key }) }),
  postgres: (target: string, key: readonly string[] | undefined) =>
    postgresSink(target, { table: 'requests', ...(key === undefined ? {} : { key }) }),
}

const FIELDS = [
  'host',
  'ident',
  'user',
  'time',
  'method',
  'path',
  'protocol',
  'status',
  'bytes',
  'referer',
  'agent',
] as const

const params = {
  input: param.string('access.log'),
  store: param.choice(['sqlite', 'duckdb', 'postgres'], 'sqlite'),
  target: param.string('out.db'),
  keyed: param.boolean(true),
}

export default pipeline('load', {
  params,
  from: ({ input }) => fileSource(input, accessLog(), { splitBytes: 8 * 1024 * 1024 }),
  into: ({ store, target, keyed }) => STORES[store](target, keyed ? ['file', 'offset'] : undefined),
})

/** What a request says, without the place it was read from: what DuckDB's own SQL can load, too. */
export const fields: unknown = pipeline('fields', {
  params,
  from: ({ input }) => fileSource(input, accessLog(), { splitBytes: 8 * 1024 * 1024 }),
  flow: (requests) => requests.where('path', 'is not', null).select(...FIELDS),
  into: ({ target }) => duckdbSink(target, { table: 'requests' }),
})

/** One that remembers: requests and bytes of each path, minute by minute. */
export const minutes: unknown = pipeline('minutes', {
  params,
  from: ({ input }) => fileSource(input, accessLog(), { splitBytes: 8 * 1024 * 1024 }),
  flow: (requests) =>
    requests
      .keyBy(({ path }) => path ?? '')
      .window(tumbling('1m', ({ time }) => time, { outOfOrderness: '1h', futureLimit: '36500d' }))
      .aggregate({ n: count(), bytes: sum(({ bytes }) => bytes ?? 0) })
      .map(({ key, window, ...row }) => ({ path: key, minute: window.startMs, ...row })),
  into: ({ target }) => sqliteSink(target, { table: 'minutes', key: ['path', 'minute'] }),
})
