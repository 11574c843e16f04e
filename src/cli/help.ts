// The text of `sluice --help`.

import { escapeText } from '../observe/escape.ts'
import { redact } from '../observe/redact.ts'
import { isSecretParam, type Param, type Params } from '../pipeline/param.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { EXIT_CODES } from './exit.ts'

const RUN_OPTIONS: readonly (readonly [option: string, meaning: string])[] = [
  ['-p, --param name=value', 'sets a parameter of the pipeline; may be given several times'],
  ['--env-file FILE', 'reads environment variables from FILE (.env); those of the environment come first'],
  ['--strict', 'stops at the first rejected record; what was read by then is committed'],
  ['--max-dead-letters N|P%', 'stops when more than N records, or more than P percent, are rejected'],
  ['--epoch-ms N', 'commits at least every N milliseconds (1000; DuckDB: 5000)'],
  ['--drain-timeout SECONDS', 'how long a stop may take to commit what was read (30)'],
  ['-t, --threads N', 'runs on N worker threads: by default none for a pipeline, as many as help for a flow'],
  ['--shard I/N', 'runs one of N copies, from 0/N on, which share the splits of the pipeline'],
  ['--on HOST:PORT', 'runs on the engine with this job endpoint, such as Apache Flink behind Beam'],
  ['--worker-pool HOST:PORT', 'on an engine: where workers are started, if not by this process'],
  ['--engine-option NAME=VALUE', 'on an engine: one of its own options; may be given several times'],
  ['--dashboard [[HOST:]PORT]', 'shows the run in a browser (127.0.0.1:4000); other addresses need a token'],
  ['--json', 'prints the summary as one JSON object on standard output'],
  ['--log text|json', 'how notices and errors are written to standard error (text); json also logs each commit'],
  ['--log-level LEVEL', 'the least urgent level to write: debug, info, warn or error (info)'],
  ['-q, --quiet', 'no progress: only errors and the summary'],
  ['-h, --help', "the pipeline's own parameters"],
]

export function mainHelp(): string {
  return `Sluice loads data with demand-driven pipelines that resume where they stopped, whatever the reason.

Usage
  sluice try SOURCE             looks at data: columns, types, what would be rejected; prints a pipeline to start from
  sluice init [DIR]             writes a project to begin with: a job, its test, and what belongs to it
  sluice run FILE [options]     runs the pipeline that FILE exports; continues where the last run stopped
  sluice run FILE [options]     runs the flow that FILE exports; prints its events, one JSON value per line
  sluice serve DIR              runs all pipelines of a folder, and shows them in a browser
  sluice preview FILE           shows the rows after every step; loads nothing
  sluice dev FILE               does it again at each save, and shows what has changed
  sluice check FILE             checks a pipeline and both its ends; shows its first rows
  sluice test [PATH]            runs the tests of a folder
  sluice checkpoints FILE       shows where a pipeline stands; can make it start over
  sluice dead-letters FILE      lists, shows, exports and replays what could not be loaded
  sluice top FILE|URL           shows runs, layer by layer, in a terminal
  sluice worker-pool --port N   starts workers beside an engine, for runs with --on
  sluice explain FILE           tells how a flow or pipeline would run, without running it
  sluice graph FILE [options]   prints the pipeline or flow as a Mermaid diagram
  sluice help [COMMAND]         this page, or that of a command
  sluice --version

FILE is a TypeScript or JavaScript module whose default export is a pipeline or a flow. The run of a pipeline can be
killed at any moment and started again: rows, dead letters and positions are committed together. Press Ctrl-C once to
stop cleanly, twice to stop immediately.

Examples
  sluice try orders.csv --into orders.sqlite
  sluice run access-log.ts --param input='logs/*.gz' --param db=out.db
  sluice run word-count.ts --threads 4 > counts.ndjson
  sluice graph access-log.ts > access-log.mmd

Options of run
${table(RUN_OPTIONS)}

Exit codes
${table(EXIT_CODES)}
`
}

export function runHelp(): string {
  return `sluice run FILE [options]

Runs the pipeline that FILE exports. It continues where the last run stopped; a second run loads only what is new.
"sluice run FILE --help" shows the pipeline's own parameters.

For a flow, the events go to standard output, one JSON value per line, and a summary to standard error. A flow starts
over each time; its options are --threads, --quiet, --log and --log-level.

Options
${table(RUN_OPTIONS)}

Examples
  sluice run access-log.ts --param input='logs/*.gz' --param db=out.db
  sluice run access-log.ts --max-dead-letters 1% --json | jq .run.loaded

Exit codes
${table(EXIT_CODES)}
`
}

export function graphHelp(): string {
  return `sluice graph FILE [--threads N] [--param name=value …]

Prints what FILE exports as a Mermaid diagram: its layers, what they do, and where events change stages; for a pipeline
also its sink, what is promised of rows, and where dead letters come from. Nothing is read or written.

Example
  sluice graph access-log.ts > access-log.mmd
`
}

export function explainHelp(): string {
  return `sluice explain FILE [--threads N | --on] [--param name=value …]

Tells how what FILE exports would run, without running it: its layers, how many stages each has, where events change
stages, and on how many threads it runs, with the reason; for a pipeline also what is promised of rows. With --on: how a pipeline would run on an engine ("sluice run --on"), its
stages, what crosses between them, and what is refused; no engine is asked.

Example
  sluice explain word-count.ts --threads 4
`
}

/** The help of one pipeline: its description and parameters. */
export function pipelineHelp(file: string, pipeline: Pipeline<Params>): string {
  const rows = Object.entries(pipeline.params).map(([name, one]) => {
    const meaning = one.about === '' ? one.allowed : one.about
    const from = one.env === undefined ? '' : ` (environment variable ${one.env})`
    return [escapeText(`${name}${defaultOf(name, one)}`), escapeText(`${meaning}${from}`)] as const
  })
  const about = pipeline.about === '' ? '' : `\n${escapeText(pipeline.about)}\n`
  const params = rows.length === 0 ? '  none\n' : `${table(rows)}\n`
  return `${escapeText(pipeline.name)}: sluice run ${escapeText(quote(file))} [--param name=value …]
${about}
Parameters, with their defaults
${params}
"sluice help run" shows the options of every run.
`
}

function defaultOf(name: string, one: Param<unknown>): string {
  if (one.isRequired === true) return ', required'
  if (one.default === undefined) return ''
  return `=${isSecretParam(name, one) && one.default !== '' ? '***' : quote(redact(`${one.default}`))}`
}

/** A word quoted for a POSIX shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`).join('\n')
}
