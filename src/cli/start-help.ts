// Help for the commands of the first five minutes: try and init.

export function tryHelp(): string {
  return `sluice try SOURCE [--into DATABASE] [--json]

Looks at data without a pipeline of your own: tells what SOURCE is, its columns with types, nulls, ranges and commonest
values, how many rows there are, what would be rejected and why, and prints a pipeline to start from. It takes ten
seconds at most, whatever the size: of a large source it reads parts spread over the whole, and says so; a count with ~
is an estimate.

SOURCE is
  a file, a glob in quotes, or a folder   CSV, NDJSON, JSON, Parquet, access logs, syslog, lines; plain, gzip or zstd
  https://…                               the same; JSON is read from the server, anything else is downloaded
  x.sqlite#table, x.duckdb#table          a table of a database file
  postgres://…?table=name                 a table of a PostgreSQL database

Options
  --into DATABASE   runs the printed pipeline: loads all of it into a SQLite file (DuckDB if it ends in .duckdb)
  --json            prints what was found as one JSON object, with the pipeline as "flow"

Examples
  sluice try orders.csv
  sluice try 'logs/*.log.gz' --into logs.sqlite
`
}

export function initHelp(sources: readonly string[], sinks: readonly string[]): string {
  return `sluice init [DIR] [--source NAME] [--sink NAME] [--key FIELD]

Writes a project to begin with into DIR, or here: a job, a test of it, package.json, tsconfig.json, .env.example,
Dockerfile, .gitignore and a README. It runs as it is, with data to begin with where the source is text. Files that
exist stay as they are. Without options it asks, on a terminal; elsewhere it takes csv and sqlite.

Options
  --source NAME   ${wrapped(sources)}
  --sink NAME     ${wrapped(sinks)}
  --key FIELD     the field that identifies a row: a later row with the same value overwrites it

"npm create sluice DIR" does the same where Sluice is not installed.

Example
  sluice init shop --source csv --sink postgres --key id
`
}

/** Names, in lines below each other. */
function wrapped(names: readonly string[]): string {
  const lines = ['']
  for (const name of names) {
    const line = lines.at(-1) as string
    if (line.length + name.length > 90) lines.push(name)
    else lines[lines.length - 1] = line === '' ? name : `${line}, ${name}`
  }
  return lines.join(',\n                  ')
}
