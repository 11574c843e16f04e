// The same load as a user of DuckDB writes it: its own SQL, on two threads. Arguments: log, database.

import { rmSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { report, takenSoFar } from './measure.ts'
import { storeAnswer } from './store-answer.ts'

const [input = '', target = ''] = process.argv.slice(2)
for (const ending of ['', '.wal']) rmSync(`${target}${ending}`, { force: true })

const REQUEST = String.raw`^(\S+) (\S+) (\S+) \[([^\]]+)\] "([A-Z]+) ([^ "]+) (HTTP/\d\.\d)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"$`
const FIELDS =
  "['host', 'ident', 'user', 'time', 'method', 'target', 'protocol', 'status', 'bytes', 'referer', 'agent']"
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
/** Whole lines: a delimiter that no line contains, and no quotes. */
const LINES = `read_csv(${quoted(input)}, columns = {'line': 'VARCHAR'}, delim = chr(1), quote = '', escape = '',
  header = false, auto_detect = false, null_padding = true, new_line = '\\n')`

const startMs = performance.now()
const instance = await DuckDBInstance.create(target, { threads: '2' })
const connection = await instance.connect()
await connection.run(`
  create table requests as
  select r.host, r.ident, r."user", strptime(r.time, '%d/%b/%Y:%H:%M:%S %z')::timestamp as time, r.method,
    split_part(r.target, '?', 1) as path, r.protocol, r.status::bigint as status,
    nullif(r.bytes, '-')::bigint as bytes, r.referer, r.agent
  from (select regexp_extract(line, ${quoted(REQUEST)}, ${FIELDS}) as r from ${LINES})
  where r.status <> ''`)
connection.closeSync()
instance.closeSync()
const [seconds, taken] = [(performance.now() - startMs) / 1000, takenSoFar()]
report(seconds, await storeAnswer('duckdb', target, 'fields'), taken)
