import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { appendFileSync, closeSync, ftruncateSync, openSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { rowsIn } from '../../src/testing/rows-in.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { FaultLoad, type LoadParams } from '../support/fault-load.ts'
import { NO_PEAK, Peak } from '../support/peak.ts'
import { randomOf, SEED } from '../support/seed.ts'

const folder = tempFolder('sluice-lines-')
let turn = 0
let input = ''
let out = ''
beforeEach(() => {
  turn += 1
  input = join(folder, `${turn}.log`)
  out = join(folder, `${turn}.db`)
})

interface Letter {
  readonly line: number
  readonly offset: number
  readonly reason: string
  readonly raw: string
}

const textsIn = (database: string) =>
  rowsIn(database, 'select text from lines order by _source, _offset').map(({ text }) => text)

const lettersIn = (database: string): Letter[] => {
  const open = new DatabaseSync(database, { readOnly: true })
  const letters = open.prepare('select line, "offset", reason, raw from dead_letters order by line').all()
  open.close()
  return letters as unknown as Letter[]
}

describe(`lines that are no clean text (REPRO: SEED=${SEED} npm test)`, () => {
  const lines: readonly (readonly [bytes: Buffer | string, row: string | undefined])[] = [
    ['\ufeffbehind a byte order mark\n', 'behind a byte order mark'],
    [Buffer.from('caf\xe9 in Latin-1\n', 'latin1'), 'caf\\xe9 in Latin-1'],
    [Buffer.from([0x61, 0xc3, 0x28, 0xff, 0x0a]), 'a\\xc3(\\xff'],
    ['before\0after a NUL\n', undefined],
    ['a lone\rCR ends no line\n', 'a lone\rCR ends no line'],
    ['one before the line end\r\n', 'one before the line end'],
    ['two of them\r\r\n', 'two of them\r'],
    ['U+2028\u2028and U+2029\u2029end no line\n', 'U+2028\u2028and U+2029\u2029end no line'],
    ['U+0085\u0085, VT\v and FF\f neither\n', 'U+0085\u0085, VT\v and FF\f neither'],
    ['a mark \ufeffinside\n', 'a mark \ufeffinside'],
    ['no line end at the end', 'no line end at the end'],
  ]

  it('F24: are loaded as they are meant, or counted as dead, and never more than that', async () => {
    writeFileSync(
      input,
      Buffer.concat([
        ...lines.map(([bytes]) => Buffer.from(bytes)).slice(0, -1),
        Buffer.from('\n \n'),
        Buffer.from(lines.at(-1)?.[0] ?? ''),
      ]),
    )
    const load = new FaultLoad({ input, out })
    const { code, stderr, stdout } = await load.run(['--json'])
    deepEqual([code, stderr], [0, ''])
    deepEqual(
      textsIn(out),
      lines.flatMap(([, row]) => row ?? []),
    )
    deepEqual(
      lettersIn(out).map(({ line, reason, raw }) => [line, reason, raw]),
      [[4, 'NUL byte at column 7', 'before\0after a NUL']],
    )
    const { read, loaded, dead, blank, invalidUtf8 } = JSON.parse(stdout).overall
    deepEqual({ read, loaded, dead, blank, invalidUtf8 }, { read: 13, loaded: 10, dead: 1, blank: 2, invalidUtf8: 2 })
    await load.finish(load.state())
  })

  it('F24: are told one by one with --strict, and nothing is lost of the others (65)', async () => {
    writeFileSync(input, 'good\nb\0d\nbetter\n')
    const load = new FaultLoad({ input, out })
    const { code, stderr } = await load.run(['--strict'])
    equal(code, 65)
    match(stderr, /\.log:2: .*NUL byte at column 2/)
    deepEqual((await load.goOn()).rows, 2)
  })

  for (const encoding of ['utf16le', 'utf16be'] as const) {
    it(`F24: are refused with their file, once, where that is in ${encoding}`, async () => {
      const bytes = Buffer.from('\ufeffgood\nbetter\n', 'utf16le')
      writeFileSync(input, encoding === 'utf16le' ? bytes : bytes.swap16())
      const load = new FaultLoad({ input, out })
      const { code, stderr } = await load.run()
      equal(code, 66)
      match(stderr, /its text is UTF-16, (?:little|big) endian: read it with encoding: 'utf-16[lb]e'/)
    })
  }
})

describe(`records that are far too large (REPRO: SEED=${SEED} npm test)`, { skip: NO_PEAK }, () => {
  const random = randomOf('large records')
  const MB = 1024 * 1024

  /** Loads, is killed on the way, goes on: in bounded memory. */
  const load = async (params: LoadParams, mostMb = 256): Promise<FaultLoad> => {
    const whole = new FaultLoad(params)
    const peak = new Peak()
    const { code, stderr, ms } = await whole.run([], { onStart: (child) => peak.watch(child) })
    equal(code, 0, stderr)
    ok(peak.mb > 0 && peak.mb < mostMb, `${peak.mb} MB`)
    const killed = new FaultLoad({ ...params, out: `${params.out}.killed` })
    await killed.run([], {
      onStart: async (child) => {
        await sleep(random() * ms)
        child.kill('SIGKILL')
      },
    })
    await killed.finish(whole.state())
    return whole
  }

  const append = (chunk: string, count: number): void => {
    const bytes = Buffer.from(chunk)
    for (let n = 0; n < count; n += 1) appendFileSync(input, bytes)
  }

  it('F25: are one dead letter each, with their beginning, length and place: a line of 100 MB', async () => {
    append('first\n', 1)
    append('x'.repeat(MB), 100)
    append('\nlast\n', 1)
    await load({ input, out })
    deepEqual(textsIn(out), ['first', 'last'])
    const [letter, ...others] = lettersIn(out)
    deepEqual(others, [])
    deepEqual(
      { ...letter, raw: letter?.raw.length },
      {
        line: 2,
        offset: 6,
        reason: 'line of 104,857,600 bytes, limit 1,048,576',
        raw: 1024,
      },
    )
  })

  it('F25: are one dead letter each: 300 MB without any line end', async () => {
    append('first\n', 1)
    const file = openSync(input, 'r+')
    ftruncateSync(file, 300 * MB)
    closeSync(file)
    await load({ input, out })
    deepEqual(textsIn(out), ['first'])
    deepEqual(
      lettersIn(out).map(({ line, reason }) => [line, reason]),
      [[2, `line of ${(statSync(input).size - 6).toLocaleString('en-US')} bytes, limit 1,048,576`]],
    )
  })

  it('F25: are one dead letter each: a field of 50 MB, in quotes', async () => {
    append('id,note\n1,fine\n2,"', 1)
    append('x'.repeat(MB), 50)
    append('"\n3,fine\n', 1)
    await load({ input, out, as: 'csv' })
    deepEqual(textsIn(out), ['{"id":"1","note":"fine"}', '{"id":"3","note":"fine"}'])
    deepEqual(
      lettersIn(out).map(({ line, reason }) => [line, reason]),
      [[3, `record of ${(2 + 50 * MB + 2).toLocaleString('en-US')} bytes, limit 1,048,576`]],
    )
  })

  it('F25: are one dead letter each: a row of 100,000 fields', async () => {
    append(`id,note\n1,fine\n${'2,'.repeat(99_999)}2\n3,fine\n`, 1)
    await load({ input, out, as: 'csv' })
    deepEqual(textsIn(out), ['{"id":"1","note":"fine"}', '{"id":"3","note":"fine"}'])
    deepEqual(
      lettersIn(out).map(({ line, reason }) => [line, reason]),
      [[3, 'more than 10,000 fields']],
    )
  })

  it('F25: are one dead letter each: a value of 1,000,000 nested brackets', async () => {
    append(`{"a":1}\n${'['.repeat(1_000_000)}\n{"a":2}\n`, 1)
    await load({ input, out, as: 'ndjson' })
    deepEqual(textsIn(out), ['{"a":1}', '{"a":2}'])
    equal(lettersIn(out).length, 1)
  })
})
