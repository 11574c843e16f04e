// Orders with items and hours: dead letters of every kind, from where records are read to where rows are refused.

import { count, fanOut, ndjsonSink, ndjsonSource, param, pipeline, type Sink, sqliteSink, tumbling } from 'sluice'
import { duckdbSink } from 'sluice/duckdb'
import { postgresSink } from 'sluice/postgres'

interface Order {
  readonly id: string
  readonly at: number
  readonly items: readonly number[]
}

interface Row {
  readonly id: string
  readonly n: unknown
}

const TABLE = { table: 'rows', key: ['id'], columns: { id: 'text', n: 'integer' } } as const

/** Some rows cannot wait in a file, in whichever branch; others are refused by one of them. */
const waiting = ({ id, n }: Row): Row => ({ id, n: Number(n) % 17 === 0 ? () => n : Number(n) % 19 === 0 ? 'no' : n })

function into(kind: string, to: string): Sink<Row> {
  switch (kind) {
    case 'postgres':
      return postgresSink<Row>(to, TABLE)
    case 'duckdb':
      return duckdbSink<Row>(`${to}/out.duckdb`, TABLE)
    case 'files':
      return ndjsonSink<Row>(`${to}/files`)
    case 'several':
      return fanOut<Row>(sqliteSink(`${to}/out.db`, TABLE), {
        spool: `${to}/spool`,
        branches: {
          sqlite: { into: sqliteSink(`${to}/branch.db`, TABLE), map: waiting },
          duckdb: { into: duckdbSink(`${to}/branch.duckdb`, TABLE), map: waiting },
        },
      })
    default:
      return sqliteSink<Row>(`${to}/out.db`, TABLE)
  }
}

/** What each of these names does fails now and then: several events of a record do, in one step or in several. */
const not = (what: string, is: boolean): void => {
  if (is) throw new RangeError(`not ${what}`)
}

export default pipeline('letters', {
  params: {
    input: param.string('in.ndjson'),
    into: param.string('sqlite'),
    to: param.string('.'),
  },
  from: ({ input }) => ndjsonSource<Order>(input),
  flow: (orders) => {
    const sound = orders.map(
      (order) => {
        not('sound', order.items.length === 0)
        return order
      },
      { name: 'sound' },
    )
    const items = sound
      .partition({ key: ({ id }) => id })
      .flatMap(({ id, items: all }) => all.map((n, at) => ({ id: `${id}.${at}`, n })))
      .map(
        (item) => {
          not('whole', item.n % 5 === 0)
          return item
        },
        { name: 'check' },
      )
      .flatMap(({ id, n }) => Array.from({ length: 1 + (n % 3) }, (_, at): Row => ({ id: `${id}.${at}`, n: n + at })))
      .map(
        (row) => {
          not('even', (row.n as number) % 7 === 0)
          return (row.n as number) % 11 === 0 ? { ...row, n: 'no number' } : row
        },
        { name: 'check' },
      )
      .mapAsync(async (row) => {
        not('odd', (row.n as number) % 13 === 0)
        return row
      })
    const hours = sound
      .keyBy(({ id }) => id.slice(-1))
      .window(tumbling('1h', ({ at }) => at, { outOfOrderness: '0s', futureLimit: '36500d' }))
      .aggregate({ n: count() })
      .map(
        ({ key, window, n }): Row => {
          not('few', n % 2 === 0)
          return { id: `${key}@${window.startMs}`, n: n % 3 === 0 ? 'no number' : n }
        },
        { name: 'check' },
      )
    return items.merge(hours)
  },
  into: ({ into: kind, to }) => into(kind, to),
})
