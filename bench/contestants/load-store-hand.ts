// The same loads by hand, in the fastest way that a client has: rows parsed by the same parser, DuckDB's chunks of columns,
// PostgreSQL's COPY of text; with a key through a temporary table that is merged, as a load that can be done again has to.
// No dead letters with places, no positions, no resume. Arguments: log, store, target, keyed.

import { closeSync, openSync, readSync, realpathSync, rmSync } from 'node:fs'
import {
  BIGINT,
  DuckDBDataChunk,
  DuckDBInstance,
  DuckDBTimestampValue,
  type DuckDBValue,
  TIMESTAMP,
  VARCHAR,
} from '@duckdb/node-api'
import pg from 'pg'
import { type AccessRequest, accessLog, Rejection } from 'sluice'
import { report, takenSoFar } from './measure.ts'
import { storeAnswer } from './store-answer.ts'

const [input = '', store = '', target = '', keyed = ''] = process.argv.slice(2)
if (store !== 'postgres') for (const ending of ['', '.wal']) rmSync(`${target}${ending}`, { force: true })
const FIELDS = [
  'file',
  'line',
  'offset',
  'host',
  'ident',
  'user',
  'time',
  'request',
  'method',
  'path',
  'protocol',
  'status',
  'bytes',
  'referer',
  'agent',
  'extra',
] as const
const NUMBERS: readonly string[] = ['line', 'offset', 'status', 'bytes']
const isKeyed = keyed === 'true'
const key = isKeyed ? ', primary key ("file", "offset")' : ''
/** Rows that are merged at once. */
const MERGED = 20_000
const SET = FIELDS.filter((name) => name !== 'file' && name !== 'offset')
  .map((name) => `"${name}" = excluded."${name}"`)
  .join(', ')
const MERGE = `insert into requests select * from stage on conflict ("file", "offset") do update set ${SET}`

/** Batches of rows of a file: blocks, lines, the same parser. */
function* batches(): Generator<AccessRequest[]> {
  const file = realpathSync(input)
  const descriptor = openSync(file, 'r')
  const block = Buffer.alloc(1024 * 1024)
  let parse: ReturnType<ReturnType<typeof accessLog>['open']> | undefined
  let [rest, line, offset] = ['', 0, 0]
  for (let size = readSync(descriptor, block); size > 0; size = readSync(descriptor, block)) {
    const text = rest + block.toString('latin1', 0, size)
    parse ??= accessLog().open(() => text.split('\n', 1000))
    const rows: AccessRequest[] = []
    let from = 0
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      line += 1
      const raw = text.slice(from, to)
      const row = parse(raw, { source: file, line, offset, raw })
      if (!(row instanceof Rejection)) rows.push(row)
      offset += to + 1 - from
      from = to + 1
    }
    rest = text.slice(from)
    yield rows
  }
  closeSync(descriptor)
}

async function intoDuckdb(): Promise<void> {
  const instance = await DuckDBInstance.create(target, { threads: '1' })
  const connection = await instance.connect()
  const typeOf = (name: string) => (NUMBERS.includes(name) ? BIGINT : name === 'time' ? TIMESTAMP : VARCHAR)
  await connection.run(`create table requests (${FIELDS.map((name) => `"${name}" ${typeOf(name)}`).join(', ')}${key})`)
  const types = FIELDS.map(typeOf)
  await connection.run('begin')
  const into = isKeyed ? 'stage' : 'requests'
  const makeStage = 'create or replace temp table stage as select * from requests limit 0'
  if (isKeyed) await connection.run(makeStage)
  let appender = await connection.createAppender(into)
  let staged = 0
  const merge = async (): Promise<void> => {
    appender.closeSync()
    await connection.run(MERGE)
    await connection.run(makeStage)
    appender = await connection.createAppender(into)
    staged = 0
  }
  for (const rows of batches()) {
    for (let from = 0; from < rows.length; from += 2048) {
      const part = rows.slice(from, from + 2048)
      const chunk = DuckDBDataChunk.create(types, part.length)
      chunk.setColumns(
        FIELDS.map((name) =>
          part.map((row): DuckDBValue => {
            const value = row[name]
            if (value === null) return null
            if (name === 'time') return new DuckDBTimestampValue(BigInt(value as number) * 1000n)
            if (name === 'extra') return JSON.stringify(value)
            return typeof value === 'number' ? BigInt(value) : (value as string)
          }),
        ),
      )
      appender.appendDataChunk(chunk)
      staged += part.length
      if (isKeyed && staged >= MERGED) await merge()
    }
  }
  if (isKeyed) await merge()
  appender.closeSync()
  await connection.run('commit')
  connection.closeSync()
  instance.closeSync()
}

async function intoPostgres(): Promise<void> {
  const client = new pg.Client({ connectionString: target })
  await client.connect()
  const typeOf = (name: string) =>
    NUMBERS.includes(name) ? 'bigint' : name === 'time' ? 'timestamptz' : name === 'extra' ? 'jsonb' : 'text'
  await client.query(
    `drop table if exists requests; create table requests (${FIELDS.map((name) => `"${name}" ${typeOf(name)}`).join(', ')}${key})`,
  )
  const { from: copyFrom } = (await import('pg-copy-streams' as string)) as {
    from: (sql: string) => NodeJS.WritableStream & pg.Submittable
  }
  await client.query('begin')
  if (isKeyed) await client.query('create temporary table stage (like requests)')
  const copy = () => client.query(copyFrom(`copy ${isKeyed ? 'stage' : 'requests'} from stdin`))
  const ended = (stream: NodeJS.WritableStream) =>
    new Promise<void>((resolve, reject) => {
      stream.once('finish', resolve)
      stream.once('error', reject)
      stream.end()
    })
  let stream = copy()
  let staged = 0
  const merge = async (): Promise<void> => {
    await ended(stream)
    await client.query(MERGE)
    await client.query('truncate stage')
    staged = 0
  }
  const escaped = (text: string) =>
    text.replace(/[\\\t\n\r]/g, (found) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[found] ?? found)
  for (const rows of batches()) {
    const text = rows
      .map((row) =>
        FIELDS.map((name) => {
          const value = row[name]
          if (value === null) return '\\N'
          if (name === 'time') return new Date(value as number).toISOString()
          return typeof value === 'string'
            ? escaped(value)
            : typeof value === 'number'
              ? `${value}`
              : escaped(JSON.stringify(value))
        }).join('\t'),
      )
      .join('\n')
    if (text !== '' && !stream.write(`${text}\n`)) await new Promise((resolve) => stream.once('drain', resolve))
    staged += rows.length
    if (!isKeyed || staged < MERGED) continue
    await merge()
    stream = copy()
  }
  if (isKeyed) await merge()
  else await ended(stream)
  await client.query('commit')
  await client.end()
}

const startMs = performance.now()
if (store === 'duckdb') await intoDuckdb()
else await intoPostgres()
const seconds = (performance.now() - startMs) / 1000
const taken = takenSoFar()
report(seconds, await storeAnswer(store, target, 'requests'), taken)
