import { deepEqual, equal, match } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Job, sluiceHere, type Told } from '../support/job.ts'

// What moves a cursor, ends a line, rings, or turns text around; and what a reader would take for a line of ours.
const EVIL = '\u001b[2J\u001b]0;owned\u0007\r\u009b31m\u202e\u2028\u200b\nFORGED'
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u

const CODE = `
const evil = ${JSON.stringify(EVIL)}
export default pipeline('printed', {
  about: 'about ' + evil,
  params: { db: param.string(import.meta.dirname + '/out' + evil + '.db', 'about ' + evil), ['p' + evil]: param.string(evil, evil) },
  from: () => ndjsonSource(import.meta.dirname + '/in*.ndjson'),
  flow: (rows) => rows
    .map((row) => { if (row.n === 1) throw new Error('thrown ' + evil); return row }, { name: 'step' + evil })
    .filter(() => true),
  into: ({ db }) => sqliteSink(db, { table: 'table' + evil, columns: { n: 'integer', text: 'text' }, key: ['n'], deadLetters: 'dead' + evil }),
  top: { ['top' + evil]: (row) => row.text },
})
`

/** Nothing in what a command wrote could be obeyed by a terminal, or taken for another line. */
function isPlain({ stdout, stderr }: Told, what: string): void {
  for (const [name, text] of Object.entries({ stdout, stderr })) {
    const found = UNSAFE.exec(text)
    equal(
      found === null ? '' : JSON.stringify(text.slice(Math.max(0, found.index - 60), found.index + 20)),
      '',
      `${what}: ${name}`,
    )
    equal(text.split('\n').filter((line) => line.startsWith('FORGED')).length, 0, `${what}: ${name} has a forged line`)
  }
}

function job(): Job {
  const made = new Job('ndjsonSource, param, pipeline, sqliteSink', CODE)
  const rows = [0, 1, 2].map((n) => `${JSON.stringify({ n, text: EVIL })}\n`)
  made.write('in\u001b[2J\u0007.ndjson', `${rows.join('')}not \u001b[2J json\u202e\n{"n":"${'\\u001b'}[2J","text":1}\n`)
  return made
}

describe('What is printed', () => {
  it('S13: shows control characters of data, file names, steps, tables and errors as escapes, in every command', async () => {
    using made = job()
    const calls: (readonly [string, readonly string[]])[] = [
      ['run', ['--help']],
      ['check', []],
      ['check', ['--json']],
      ['preview', []],
      ['preview', ['--json']],
      ['explain', []],
      ['graph', []],
      ['run', ['--json', '--log', 'json']],
      ['checkpoints', ['show']],
      ['checkpoints', ['--json']],
      ['dead-letters', []],
      ['dead-letters', ['show', '--full']],
      ['dead-letters', ['show', '--json']],
      ['dead-letters', ['export']],
      ['dead-letters', ['replay']],
      ['checkpoints', ['reset']],
      ['checkpoints', ['reset', '--yes']],
      ['run', ['--strict', '--log', 'json']],
    ]
    for (const [command, words] of calls) {
      const outcome = await made.here(command, words)
      isPlain(outcome, [command, ...words].join(' '))
      equal([0, 64, 65].includes(outcome.code ?? -1), true, outcome.stderr)
    }
  })

  it('S13: shows each record as one line, whatever it holds', async () => {
    using made = job()
    const run = await made.call('run')
    isPlain(run, 'run')
    equal(run.code, 0)
    const { stdout } = await made.here('dead-letters', ['show'])
    equal(stdout.split('\n').length, 2 * 3 + 1)
    match(stdout, /not \\x1b\[2J json\\u202e\n/)
  })

  it('S13: shows what was typed wrong as escapes, too', async () => {
    using made = job()
    const { file } = made
    const words = [[EVIL], [`--${EVIL}`], ['--param', `x${EVIL}=1`], ['--param', EVIL], ['--log', EVIL], ['-t', EVIL]]
    const elsewhere = [[EVIL], ['help', EVIL], ['run', EVIL], ['check', `/tmp/${EVIL}`], ['graph', EVIL]]
    for (const argv of [...words.map((more) => ['run', file, ...more]), ...elsewhere]) {
      const told = await sluiceHere(argv)
      isPlain(told, JSON.stringify(argv))
      equal([64, 78].includes(told.code ?? -1), true, told.stderr)
    }
  })

  it('S13: shows what a module throws when it is loaded, in one line', async () => {
    using made = new Job('pipeline', `throw new Error('no ' + pipeline.name + ${JSON.stringify(EVIL)})`)
    const outcome = await made.call('run')
    isPlain(outcome, 'run')
    deepEqual([outcome.code, outcome.stderr.trimEnd().split('\n').length], [78, 1])
  })

  it('S13: shows a flow, its events and what it throws as escapes', async () => {
    const code = `
const evil = ${JSON.stringify(EVIL)}
export default flow(['a' + evil, 'b']).map((text) => { if (text === 'b') throw new Error(evil); return text }, { name: 'step' + evil })
`
    using made = new Job('flow', code)
    for (const command of ['run', 'explain', 'graph']) isPlain(await made.here(command), command)
    isPlain(await made.call('run', ['--threads', '1']), 'run on threads')
  })
})
