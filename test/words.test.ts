import { deepEqual, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT } from './support/project.ts'

const SELF = 'test/words.test.ts'
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const listed = execFileSync('git', ['ls-files', '*.ts', '*.tsx', '*.md'], { cwd: ROOT, encoding: 'utf8' })
/** Path → text of all code and documents but this file, and what is history. */
const texts = new Map(
  listed
    .split('\n')
    .filter((path) => path !== '' && path !== SELF && path !== 'CHANGELOG.md')
    .map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]),
)

/** Names that functions, types and options had before sources and sinks said which of the two they are. */
const FORMER_EXPORTS = [
  ...['kafka', 'kafkaPublish', 'nats', 'natsPublish', 'rabbitmq', 'rabbitmqPublish', 'mqtt', 'mqttPublish'],
  ...['redisStream', 'redisStreamAdd', 'postgres', 'postgresQuery', 'duckdb', 'duckdbQuery', 'sqlite', 'sqliteQuery'],
  ...['http', 'httpPages', 'csv', 'csvFiles', 'ndjson', 'ndjsonFiles', 'parquet', 'parquetFiles'],
  ...['serverSentEvents', 'webSocket', 'webhook', 'syslogLine', 'values', 'ticks', 'jsonArray', 'files', 'tail'],
  ...['several', 'toFunction', 'stdout', 'PlainSink', 'PlainWriter'],
]

/** Identifiers that are nowhere any more. */
const RETIRED = [
  ...['kafkaPublish', 'natsPublish', 'rabbitmqPublish', 'mqttPublish', 'redisStreamAdd', 'redisStream'],
  ...['postgresQuery', 'duckdbQuery', 'sqliteQuery', 'httpPages', 'csvFiles', 'ndjsonFiles', 'parquetFiles'],
  ...['serverSentEvents', 'syslogLine', 'toFunction', 'PlainSink', 'PlainWriter', 'isEndless', 'isAcknowledged'],
  ...['bury', 'exhume', 'REJECTS_OVER_LIMIT', 'firstRejects', 'KeptLetter', 'letterAt', 'batchOfTraced', 'Traced'],
  ...['EntriesStage', 'SplitsStage', 'StepsStage', 'CallsStage', 'PlacedStage', 'LoadStage', 'FlowRun', 'HeldLetters'],
  ...['RejectLimit', 'Happenings', 'LiveReader', 'Occupancy', 'Sighting', 'Verdict', 'Patience'],
]

/** Names that are words of everyday English, too: nothing is declared by them. */
const RETIRED_DECLARATIONS = [
  ...['Entry', 'Answers', 'Pace', 'Crew', 'Board', 'Watch', 'Wire', 'Wires', 'Site', 'Account', 'Engaged'],
  ...['Beginning', 'Ledger', 'Known', 'Supervised', 'Roll', 'Passage'],
]

/** Turns of phrase that make a reader stumble, and what to say instead. */
const PHRASES = [
  ...[/\b(is|are) none\b/i, /\bfor whoever\b/i, /\banew\b/i, /\bis borne\b/i, /\blet go by\b/i],
  /(?<!(const|let) )\btold of\b/i,
]

describe('the words', () => {
  it('are new ones in what the package exports', async () => {
    const former = new Set(FORMER_EXPORTS)
    const doors = Object.entries<{ 'sluice-source': string }>(manifest.exports).filter(
      ([, to]) => typeof to === 'object',
    )
    ok(doors.length > 5, 'the doors were found')
    for (const [door, to] of doors) {
      const names = Object.keys(await import(join(ROOT, to['sluice-source'])))
      deepEqual([door, ...names.filter((name) => former.has(name))], [door])
    }
  })

  it('of former names are gone', () => {
    const retired = new RegExp(`\\b(${RETIRED.join('|')})\\b`)
    const declared = new RegExp(`\\b(class|interface|type|enum) (${RETIRED_DECLARATIONS.join('|')})\\b`)
    deepEqual([...found(retired), ...found(declared)], [])
  })

  it('are plain English', () => {
    deepEqual(PHRASES.flatMap(found), [])
  })
})

function found(pattern: RegExp): string[] {
  return [...texts].flatMap(([path, text]) => {
    return text.split('\n').flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1} ${line.trim()}`] : []))
  })
}
