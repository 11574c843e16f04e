// What a loaded table of any store says: the same whoever loaded it.

import { DatabaseSync } from 'node:sqlite'
import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'

const SUMS: Readonly<Record<string, string>> = {
  requests: `select count(*) as n, sum(line) as line, sum("offset") as o, sum(status) as s, sum(bytes) as b,
    sum(length(host) + length(request) + length(path) + length(agent)) as text from requests`,
  fields: `select count(*) as n, sum(status) as s, sum(bytes) as b, count(bytes) as sizes, sum(length(host) + length(ident) +
    length("user") + length(method)) as names, sum(length(path) + length(protocol) + length(referer) + length(agent)) as text,
    sum(epoch_ms(time) % 1000003) as t from requests`,
  minutes: 'select count(*) as n, sum(n) as events, sum(bytes) as b, sum(length(path)) as text from minutes',
}

export async function storeAnswer(store: string, target: string, table: string): Promise<string> {
  const row = await sumsOf(store, target, SUMS[table] ?? '')
  return JSON.stringify(Object.values(row).map(Number))
}

async function sumsOf(store: string, target: string, sql: string): Promise<object> {
  if (store === 'sqlite') {
    const db = new DatabaseSync(target, { readOnly: true })
    const query = db.prepare(sql)
    query.setReadBigInts(true)
    const row = query.get()
    db.close()
    return row ?? {}
  }
  if (store === 'duckdb') {
    const instance = await DuckDBInstance.create(target)
    const connection = await instance.connect()
    const [row] = (await connection.runAndReadAll(sql)).getRowObjects()
    connection.closeSync()
    instance.closeSync()
    return row ?? {}
  }
  const client = new pg.Client({ connectionString: target })
  await client.connect()
  const { rows } = await client.query(sql)
  await client.end()
  return rows[0]
}
