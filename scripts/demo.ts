// npm run demo [-- FILES…]: loads web server logs into SQLite and shows what is in the table.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { writeRotatedLogs } from './make-access-log.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDER = join(ROOT, 'demo')
const LOGS = join(FOLDER, 'logs')

if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
  console.log('npm run demo                      makes a log of a web server, and loads it')
  console.log('npm run demo -- FILES…            loads your own: paths or globs; - for standard input')
  process.exit(0)
}

// npm starts scripts in the package's folder: names are meant from where it was called.
const given = process.argv.slice(2).map((name) => (name === '-' ? name : resolve(process.env.INIT_CWD ?? '.', name)))
/** One database for the log that we made, another for a user's own. */
const DB = join(FOLDER, given.length === 0 ? 'warehouse.db' : 'own.db')
mkdirSync(FOLDER, { recursive: true })
if (given.length === 0 && !existsSync(LOGS)) {
  const files = writeRotatedLogs(LOGS, { lines: 200_000, seed: 7 })
  console.log(`Made a web server's log of 200,000 lines: ${files.map((file) => relative(ROOT, file)).join(', ')}`)
}
if (given.length === 0) console.log('To load your own: npm run demo -- /var/log/nginx/*.log*\n')

const input = given.length === 0 ? join(LOGS, '*') : given.map(asInput).join(',')
const command = ['run', 'examples/access-log.ts', '--param', `input=${input}`, '--param', `db=${DB}`]
console.log(`npm run -s sluice -- run examples/access-log.ts --param input='${show(input)}' --param db=${show(DB)}\n`)
const { status, signal } = spawnSync(
  process.execPath,
  ['--conditions=sluice-source', join(ROOT, 'src', 'cli', 'bin.ts'), ...command],
  // How to continue, as a command that works in a checkout.
  { stdio: 'inherit', cwd: ROOT, env: { ...process.env, npm_lifecycle_event: 'sluice' } },
)
if (status !== 0) process.exit(status ?? (signal === null ? 1 : 128))

const db = new DatabaseSync(DB)
query('SELECT status, count(*) AS requests, sum(bytes) AS bytes FROM requests GROUP BY status ORDER BY requests DESC')
query(
  "SELECT strftime('%Y-%m-%d', time / 1000, 'unixepoch') AS day, count(*) AS requests FROM requests GROUP BY day ORDER BY day",
)
query(
  "SELECT replace(file, rtrim(file, replace(file, '/', '')), '') AS file, line, reason FROM dead_letters ORDER BY file, line LIMIT 5",
)
db.close()
console.log(`Run it again: nothing is loaded twice. The database is ${show(DB)}; start over with: rm -r demo`)

function query(sql: string): void {
  console.log(`\n${sql}`)
  console.table(
    db
      .prepare(sql)
      .all()
      .map((row) => ({ ...row })),
  )
}

function show(path: string): string {
  return isAbsolute(path) && path.startsWith(ROOT) ? relative(ROOT, path) : path
}

/** A name in a list that is cut at commas: its own stand for any character. */
function asInput(name: string): string {
  return given.length === 1 ? name : name.replaceAll(',', '?')
}
