// The same load by a hand-written loop: the same reading by blocks, the same parser, the same table, prepared inserts in
// transactions with the position. No stages, no dead letters with places, no limits, no checks, no resume. Arguments: log, database,
// and how it is compared: `table` with the load of an example, `keyed` or `added` with those of any store.

import { closeSync, openSync, readSync, realpathSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { accessLog, Rejection } from 'sluice'
import { report, takenSoFar } from './measure.ts'
import { storeAnswer } from './store-answer.ts'
import { tableAnswer } from './table-answer.ts'

const BLOCK = 256 * 1024
const BATCH = 50_000
const COLUMNS =
  'file, line, "offset", host, ident, user, time, request, method, path, protocol, status, bytes, referer, agent, extra'

const [input = '', path = '', as = 'table'] = process.argv.slice(2)
for (const ending of ['', '-wal', '-shm']) rmSync(`${path}${ending}`, { force: true })

const startMs = performance.now()
const db = new DatabaseSync(path)
db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
  CREATE TABLE requests (file TEXT NOT NULL, line INTEGER, "offset" INTEGER NOT NULL, host TEXT, ident TEXT, user TEXT,
    time INTEGER, request TEXT, method TEXT, path TEXT, protocol TEXT, status INTEGER, bytes INTEGER, referer TEXT,
    agent TEXT, extra TEXT${as === 'added' ? '' : ', PRIMARY KEY (file, "offset")'});
  CREATE TABLE dead_letters (line INTEGER PRIMARY KEY, raw TEXT, reason TEXT);
  CREATE TABLE positions (file TEXT PRIMARY KEY, "offset" INTEGER)`)
const insert = db.prepare(`INSERT INTO requests (${COLUMNS}) VALUES (${COLUMNS.replace(/[^,]+/g, '?')})`)
const reject = db.prepare('INSERT INTO dead_letters VALUES (?, ?, ?)')
const place = db.prepare('INSERT INTO positions VALUES (?, ?) ON CONFLICT DO UPDATE SET "offset" = excluded."offset"')

const file = realpathSync(input)
const descriptor = openSync(file, 'r')
const block = Buffer.alloc(BLOCK)
let parse: ReturnType<ReturnType<typeof accessLog>['open']> | undefined
let rest = ''
let line = 0
let offset = 0
let open = 0

db.exec('BEGIN')
for (let size = readSync(descriptor, block); size > 0; size = readSync(descriptor, block)) {
  const text = rest + block.toString('latin1', 0, size)
  let from = 0
  parse ??= accessLog().open(() => text.split('\n', 1000))
  for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
    load(text.slice(from, to))
    offset += to + 1 - from
    from = to + 1
  }
  rest = text.slice(from)
}
if (rest !== '') load(rest)
place.run(file, offset)
db.exec('COMMIT')
db.close()
closeSync(descriptor)
const [seconds, taken] = [(performance.now() - startMs) / 1000, takenSoFar()]
report(seconds, as === 'table' ? tableAnswer(path) : await storeAnswer('sqlite', path, 'requests'), taken)

function load(raw: string): void {
  line += 1
  if (raw === '' || parse === undefined) return
  const row = parse(raw, { source: file, line, offset, raw })
  if (row instanceof Rejection) reject.run(line, raw, row.reason)
  else {
    const { host, ident, user, time, request, method, protocol, status, bytes, referer, agent, extra } = row
    const more = extra === null ? null : JSON.stringify(extra)
    insert.run(
      file,
      line,
      offset,
      host,
      ident,
      user,
      time,
      request,
      method,
      row.path,
      protocol,
      status,
      bytes,
      referer,
      agent,
      more,
    )
  }
  open += 1
  if (open < BATCH) return
  open = 0
  place.run(file, offset)
  db.exec('COMMIT; BEGIN')
}
