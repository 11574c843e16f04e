import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type ServerEvent, ServerEvents } from './protocol.ts'

function shown({ type, id, bytes, fault }: ServerEvent): string {
  const text = Buffer.from(bytes).toString()
  return `${type} ${id}: ${fault === undefined ? JSON.stringify(text) : `${text.slice(0, 10)} (${fault})`}`
}

function eventsOf(blocks: readonly Uint8Array[], maxBytes = 2000): { found: string[]; events: ServerEvents } {
  const events = new ServerEvents({ maxBytes, lastId: '' })
  const found: string[] = []
  for (const block of blocks) {
    events.push(block)
    for (let event = events.next(); event !== undefined; event = events.next()) found.push(shown(event))
  }
  return { found, events }
}

const of = (text: string): string[] => eventsOf([Buffer.from(text)]).found

describe('ServerEvents', () => {
  it('gives type, id and the lines of the data', () => {
    deepEqual(of('event: added\nid: 7\ndata: a\ndata:b\ndata\n\n'), ['added 7: "a\\nb\\n"'])
  })

  it('takes lines that end with LF, CR, or both', () => {
    deepEqual(of('data: a\r\n\r\ndata: b\r\rdata: c\n\n'), ['message : "a"', 'message : "b"', 'message : "c"'])
  })

  it('takes one space off a value, and no more', () => {
    deepEqual(of('data:  a \n\ndata:\n\n'), ['message : " a "', 'message : ""'])
  })

  it('gives no event without data, and forgets its type', () => {
    deepEqual(of('event: a\n\nid: 3\n\ndata: b\n\n'), ['message 3: "b"'])
  })

  it('keeps an id until there is another one, and takes none with a NUL', () => {
    deepEqual(of('id: 1\ndata: a\n\ndata: b\n\nid: x\0\ndata: c\n\nid\ndata: d\n\n'), [
      'message 1: "a"',
      'message 1: "b"',
      'message 1: "c"',
      'message : "d"',
    ])
  })

  it('passes over comments, unknown fields, a byte order mark, and an event without its end', () => {
    const { found, events } = eventsOf([Buffer.from('\uFEFF: hello\nfoo: bar\n:\ndata: a\n\nid: 9\ndata: half')])
    deepEqual(found, ['message : "a"'])
    equal(events.lastId, '')
  })

  it('takes a retry that is a number, and no other', () => {
    equal(eventsOf([Buffer.from('retry: 1500\nretry: soon\nretry: -1\nretry\n')]).events.retryMs, 1500)
  })

  it('keeps the beginning of an event that is too long, in one line or many, and goes on behind it', () => {
    const fault = 'an event of 5000 bytes: at most 2000 are accepted (maxBytes)'
    deepEqual(of(`id: 1\ndata: ${'x'.repeat(5000)}\n\ndata: b\n\n`), [
      `message 1: xxxxxxxxxx (${fault})`,
      'message 1: "b"',
    ])
    deepEqual(of(`${'data: xxxx\n'.repeat(999)}data: 12345\n\ndata: b\n\n`), [
      `message : xxxx\nxxxx\n (${fault})`,
      'message : "b"',
    ])
  })

  it('S12: holds no more of what came than an event takes', () => {
    const events = new ServerEvents({ maxBytes: 1000, lastId: '' })
    events.push(new Uint8Array(Buffer.from(`data: a\n\n:${' '.repeat(1_000_000)}\n`)))
    ok((events.next()?.bytes.buffer.byteLength ?? 0) < 100_000)
  })

  it('refuses an id that is too long to be kept', () => {
    throws(() => of(`id: ${'x'.repeat(1001)}\n`), /^RangeError: an event has an id of 1001 bytes: at most 1000/)
  })

  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 })
  const cut = (bytes: Uint8Array, lengths: readonly number[]) => {
    const blocks: Uint8Array[] = []
    for (let at = 0, n = 0; at < bytes.length; n += 1) {
      const to = at + (lengths[n % lengths.length] as number)
      blocks.push(bytes.subarray(at, to))
      at = to
    }
    return blocks
  }

  it('finds the same events however the bytes are cut into blocks', () => {
    const piece = fc.constantFrom(
      'data',
      'id',
      'event',
      'retry',
      ':',
      ': ',
      ' ',
      'x',
      'ä',
      '\n',
      '\r',
      '\r\n',
      '7',
      '\uFEFF',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), sizes, (pieces, lengths) => {
        const bytes = Buffer.from(pieces.join(''))
        deepEqual(eventsOf(cut(bytes, lengths), 20).found, eventsOf([bytes], 20).found)
      }),
    )
  })

  it('gives back what was written', () => {
    const text = fc.array(fc.string({ unit: fc.constantFrom('a', ' ', ':', 'ä', '\0') }), { minLength: 1 })
    const id = fc.stringMatching(/^[a-z0-9]{1,9}$/)
    const end = fc.constantFrom('\n', '\r', '\r\n')
    fc.assert(
      fc.property(fc.array(fc.tuple(id, text, end)), sizes, (all, lengths) => {
        const written = all.map(([name, lines, eol]) =>
          [`id: ${name}`, ...lines.map((line) => `data: ${line}`), '', ''].join(eol),
        )
        deepEqual(
          eventsOf(cut(Buffer.from(written.join('')), lengths), 100_000).found,
          all.map(([name, lines]) => `message ${name}: ${JSON.stringify(lines.join('\n'))}`),
        )
      }),
    )
  })

  it('S12: takes little time for what comes byte by byte, and for lines without end', () => {
    const one = Buffer.from('x')
    const before = process.cpuUsage()
    eventsOf(
      Array.from({ length: 200_000 }, () => one),
      50_000,
    )
    eventsOf([Buffer.from('data\n'.repeat(200_000))], 2_000_000)
    for (const end of ['\n', '\r', '\r\n']) eventsOf([Buffer.from(end.repeat(500_000))])
    // Work, not time: a machine may have much else to do.
    const { user, system } = process.cpuUsage(before)
    ok(user + system < 5_000_000, `${(user + system) / 1e6} s of work`)
  })
})
