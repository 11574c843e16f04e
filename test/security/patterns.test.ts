import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { accessLog } from '../../src/connect/formats/access-log/format.ts'
import { csvLine } from '../../src/connect/formats/csv/write.ts'
import { json } from '../../src/connect/formats/json/format.ts'
import { mermaidLabel } from '../../src/engine/picture.ts'
import { escapeText } from '../../src/observe/escape.ts'
import { redact } from '../../src/observe/redact.ts'
import { startPipeline } from '../../src/pipeline/start.ts'
import { Job } from '../support/job.ts'

const HEAD = '1.2.3.4 - - [x] '
const TIMED = '1.2.3.4 - - [17/May/2015:10:05:03 +0000] '
/** Pieces that are put one behind the other, behind a beginning: what patterns with several ways to match choke on. */
const PIECES: readonly (readonly [before: string, piece: string])[] = [
  [HEAD, '" "'],
  [`${TIMED}"`, '" "'],
  [`${TIMED}"GET / HTTP/1.1" 200 1 "`, '" "'],
  [`${TIMED}"GET `, '\\"'],
  [`${TIMED}"GET `, ' '],
  ['', ' '],
  ['', '\t \t'],
  [HEAD, '['],
  ['', 'a '],
  ['', '"'],
  ['', '""'],
  ['', '\\'],
  ['{"a":', '['],
  ['{"a":"', '\\\\'],
  ['', '-1'],
  ['http://', 'a:@'],
  ['', 'x://'],
  ['@ ', 'x://'],
  ['?', 'token'],
  ['', '='],
]

const access = accessLog({ dialect: 'any' }).open(() => [])
const anyJson = json().open(() => [])
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  'access-log': (text) => access(text, { source: 'a', line: 1, offset: 0, raw: text }),
  json: (text) => anyJson(text, { source: 'a', line: 1, offset: 0, raw: text }),
  csvLine: (text) => csvLine([text], { spreadsheetSafe: true }),
  escapeText,
  redact,
  mermaidLabel,
}

/** What every record goes through. */
const ON_THE_WAY = new Set(['access-log', 'json', 'csvLine'])

/** The shortest of a few times: what others do on this machine only makes it longer. */
function shortestMs(read: () => unknown): number {
  const times = Array.from({ length: 4 }, () => {
    const startedMs = performance.now()
    read()
    return performance.now() - startedMs
  })
  return Math.min(...times)
}

describe('Patterns of our own', () => {
  for (const [name, read] of Object.entries(READERS)) {
    it(`S4: ${name} takes a time in proportion to the text, whatever it is`, () => {
      for (const [before, piece] of PIECES) {
        const text = (bytes: number): string => before + piece.repeat(Math.ceil(bytes / piece.length))
        read(text(65_536))
        const [few, many] = [text(65_536), text(524_288)]
        let found = ''
        // A machine that is busy with other things only makes it longer, now and then.
        for (let attempt = 0; attempt < 5; attempt += 1) {
          const short = shortestMs(() => read(few))
          const long = shortestMs(() => read(many))
          found = `${JSON.stringify(before + piece)}: ${short} ms, then ${long} ms`
          // Eight times the text: a pattern that is not linear takes 64 times as long. Five milliseconds where nobody
          // else is at work here. What is shown to people is cut before it is looked at.
          if (long < Math.max(short, 0.5) * 24 && (short < 25 || !ON_THE_WAY.has(name))) found = ''
          if (found === '') break
        }
        equal(found, '')
      }
    })
  }
})

describe('A pattern of the user', () => {
  it('S4: that does not come back becomes a dead letter on threads, and all others are loaded', async () => {
    using job = new Job(
      'ndjsonSource, param, pipeline, sqliteSink',
      `export default pipeline('pattern', {
  from: () => ndjsonSource(import.meta.dirname + '/in.ndjson'),
  flow: (rows) => rows.map(({ n, text }) => ({ n, isWords: /^(\\w+\\s?)*$/.test(text) })),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't', columns: { n: 'integer', isWords: 'boolean' } }),
})`,
    )
    const rows = Array.from({ length: 50 }, (_, n) => ({ n, text: n === 31 ? `${'aaaa '.repeat(20)}!` : 'two words' }))
    job.write('in.ndjson', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const run = await startPipeline(pathToFileURL(job.file), { threads: 1, maxBatchMs: 300 })
    const { overall } = await run.done
    deepEqual([overall.loaded, overall.dead], [49, 1])
    const [letter] = job.query('out.db', 'select line, step from dead_letters')
    deepEqual(letter, { line: 32, step: 'worker' })
    equal(job.query('out.db', 'select n from t where not isWords').length, 0)
  })
})
