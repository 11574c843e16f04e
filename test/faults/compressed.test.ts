import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { FaultLoad, undisturbed } from '../support/fault-load.ts'
import { numbered, writeNumbered } from '../support/inputs.ts'
import { NO_PEAK, Peak } from '../support/peak.ts'
import { randomOf, SEED, times } from '../support/seed.ts'

/** Of a member of gzip: its header, and its checksum and length. */
const HEADER_BYTES = 10
const TRAILER_BYTES = 8

type Random = () => number

const folder = tempFolder('sluice-compressed-')
let turns = 0

/** A folder with a good file, and one that is broken behind it. */
const place = (): { readonly input: string; readonly broken: string; readonly out: string } => {
  turns += 1
  const own = join(folder, `${turns}`)
  mkdirSync(own)
  writeNumbered(join(own, 'a.log'), { lines: 500 })
  return { input: join(own, '*.log*'), broken: join(own, 'b.log.gz'), out: join(own, 'out.db') }
}

const rowsOf = (database: string, source: string): number => {
  const open = new DatabaseSync(database, { readOnly: true })
  const hasTable = open.prepare("select 1 from sqlite_schema where name = 'lines'").get() !== undefined
  const found = hasTable ? open.prepare('select count(*) as n from lines where _source = ?').get(source)?.n : 0
  open.close()
  return Number(found)
}

const content = Buffer.from(numbered({ lines: 20_000, from: 1000 }))
const whole = gzipSync(content)

// Two at a time: each is a process of its own.
const concurrency = 2

describe(`a compressed file that is broken (REPRO: SEED=${SEED} npm test)`, { concurrency }, () => {
  /** A place between header and trailer. */
  const somewhere = (random: Random): number => {
    return HEADER_BYTES + Math.floor(random() * (whole.length - HEADER_BYTES - TRAILER_BYTES - 1))
  }
  const withBit = (at: number, random: Random): Buffer => {
    const bytes = Buffer.from(whole)
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at)
    return bytes
  }

  const breaks: Readonly<Record<string, { make: (random: Random) => Buffer; found: RegExp }>> = {
    'a flipped bit': {
      make: (random) => withBit(somewhere(random), random),
      found: /incorrect (data|length) check|invalid|unexpected end|something follows/,
    },
    'a wrong checksum': {
      make: (random) => withBit(whole.length - TRAILER_BYTES, random),
      found: /incorrect data check/,
    },
    'a wrong length': { make: (random) => withBit(whole.length - 4, random), found: /incorrect length check/ },
    'an end that is missing': {
      make: (random) => whole.subarray(0, somewhere(random)),
      found: /unexpected end of file/,
    },
    'something behind it': {
      make: () => Buffer.concat([whole, Buffer.from('line\n')]),
      found: /something follows the end|incorrect header check/,
    },
    'a second member with a flipped bit': {
      make: (random) => Buffer.concat([whole, withBit(somewhere(random), random)]),
      found: /incorrect (data|length) check|invalid|unexpected end|something follows/,
    },
  }

  for (const [kind, { make, found }] of Object.entries(breaks)) {
    it(`F22: stops the run with 66, and none of its rows is committed: ${kind}`, async () => {
      const random = randomOf(kind)
      for (let turn = 0; turn < times(2); turn += 1) {
        const { input, broken, out } = place()
        writeFileSync(broken, make(random))
        const load = new FaultLoad({ input, out })
        const { code, stderr } = await load.run()
        equal(code, 66, stderr)
        match(stderr, /^sluice: Cannot read ".*b\.log\.gz": [^\n]* (at|after) byte \d+ of the compressed file[^\n]*\n$/)
        match(stderr, found)
        equal(rowsOf(out, broken), 0)
        // It is made good: what was loaded of the other stays, and all of this one comes.
        writeFileSync(broken, whole)
        await load.finish(await undisturbed({ input, out: `${out}.undisturbed` }))
      }
    })
  }

  it('F22, R22: stops a run on threads as one in this thread, with 66, and is read no second time', async () => {
    const { input, broken, out } = place()
    writeFileSync(broken, whole.subarray(0, whole.length - 100))
    const load = new FaultLoad({ input, out })
    const { code, stderr } = await load.run(['--threads', '2'])
    equal(code, 66, stderr)
    match(stderr, /^sluice: Cannot read ".*b\.log\.gz": unexpected end of file [^\n]*\n$/)
    equal(rowsOf(out, broken), 0)
    writeFileSync(broken, whole)
    await load.finish(await undisturbed({ input, out: `${out}.undisturbed` }))
  })

  const fine: Readonly<Record<string, { bytes: Buffer; lines: number }>> = {
    'two members': { bytes: Buffer.concat([whole, whole]), lines: 40_000 },
    'a member of nothing between two': { bytes: Buffer.concat([whole, gzipSync(''), whole]), lines: 40_000 },
    'zeros behind it': { bytes: Buffer.concat([whole, Buffer.alloc(5000)]), lines: 20_000 },
    'an empty file': { bytes: Buffer.alloc(0), lines: 0 },
    'a member of nothing': { bytes: gzipSync(''), lines: 0 },
  }

  for (const [kind, { bytes, lines }] of Object.entries(fine)) {
    it(`F22: is no bomb, and is loaded: ${kind}`, async () => {
      const { input, broken, out } = place()
      writeFileSync(broken, bytes)
      const load = new FaultLoad({ input, out })
      const { code, stderr } = await load.run()
      deepEqual([code, stderr], [0, ''])
      const { rows, dead } = load.state()
      deepEqual([rows, dead], [495 + lines * 0.99, 5 + lines * 0.01])
    })
  }
})

describe(`a compressed file that is a bomb (REPRO: SEED=${SEED} npm test)`, { skip: NO_PEAK }, () => {
  it('F23: stops the run with 66 before it fills the memory: 300 kB that become 300 MB', {
    skip: NO_PEAK,
  }, async () => {
    const { input, broken, out } = place()
    const bomb = Buffer.concat(Array<Buffer>(10).fill(gzipSync(Buffer.alloc(30_000_000), { level: 9 })))
    ok(bomb.length < 310_000)
    writeFileSync(broken, bomb)
    const load = new FaultLoad({ input, out })
    const peak = new Peak()
    const { code, stderr } = await load.run([], { onStart: (child) => peak.watch(child) })
    equal(code, 66, stderr)
    match(
      stderr,
      /^sluice: Cannot read ".*b\.log\.gz": \d+ bytes of it became \d+, over 200 to 1 \(maxRatio\)[^\n]*\n$/,
    )
    ok(peak.mb > 0 && peak.mb < 256, `${peak.mb} MB`)
    equal(rowsOf(out, broken), 0)
    writeFileSync(broken, whole)
    await load.finish(await undisturbed({ input, out: `${out}.undisturbed` }))
  })

  it('F23: is not unpacked where it is inside of another', async () => {
    const { input, broken, out } = place()
    writeFileSync(broken, gzipSync(gzipSync(Buffer.alloc(300_000_000))))
    const load = new FaultLoad({ input, out })
    const peak = new Peak()
    const { code, stderr } = await load.run([], { onStart: (child) => peak.watch(child) })
    equal(code, 66, stderr)
    match(stderr, /it is gzip data inside other compressed data: unpack it first/)
    ok(peak.mb > 0 && peak.mb < 256, `${peak.mb} MB`)
  })
})
