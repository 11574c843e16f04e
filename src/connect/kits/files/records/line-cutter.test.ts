import { deepEqual, equal, ok } from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../../../../testing/times.ts'
import type { Line } from './cutter.ts'
import { LineCutter, type LineCutterOptions } from './line-cutter.ts'
import { firstText } from './open-line.ts'
import { escapeBytes, escapeMalformed } from './raw.ts'

/** All lines of blocks, each block put into the same memory as the one before, as readers do. */
function cut(blocks: readonly Buffer[], options: LineCutterOptions = {}): { lines: Line[]; cutter: LineCutter } {
  const cutter = new LineCutter(options)
  const lines: Line[] = []
  const take = () => {
    for (let line = cutter.next(); line !== undefined; line = cutter.next()) lines.push(line)
  }
  const memory = Buffer.alloc(Math.max(0, ...blocks.map((block) => block.length)))
  for (const block of blocks) {
    if (cutter.isOver) break
    block.copy(memory)
    cutter.push(memory.subarray(0, block.length))
    take()
  }
  if (!cutter.isOver) cutter.end()
  take()
  return { lines, cutter }
}

const textsOf = (text: string | Buffer, options?: LineCutterOptions) =>
  cut([Buffer.from(text)], options).lines.map((line) => line.text)

/** What the cutter promises, written the slow way. */
function reference(bytes: Buffer, maxLineBytes: number): { lines: Line[]; blank: number; invalidUtf8: number } {
  const lines: Line[] = []
  let [blank, invalidUtf8, offset] = [0, 0, 0]
  for (let line = 1; offset < bytes.length; line += 1) {
    const lf = bytes.indexOf(10, offset)
    const next = lf === -1 ? bytes.length : lf + 1
    let end = lf === -1 ? next : lf
    if (lf > offset && bytes[lf - 1] === 13) end -= 1
    const from = offset === 0 && bytes.subarray(0, 3).equals(Buffer.from('efbbbf', 'hex')) ? 3 : 0
    const body = bytes.subarray(offset + from, end)
    const textBytes = end - offset
    if (textBytes > maxLineBytes) {
      const fault = `line of ${textBytes} bytes, limit ${maxLineBytes}`
      lines.push({ ...firstText(body), line, offset, fault })
    } else {
      if (!isUtf8(body)) invalidUtf8 += 1
      const text = isUtf8(body) ? body.toString() : escapeMalformed(body)
      const nul = text.indexOf('\0')
      if (/^[ \t]*$/.test(text)) blank += 1
      else {
        const fault = nul === -1 ? undefined : `NUL byte at column ${nul + 1}`
        lines.push({ text, line, offset, fault, ...(isUtf8(body) ? {} : { raw: escapeBytes(body) }) })
      }
    }
    offset = next
  }
  return { lines, blank, invalidUtf8 }
}

/** Bytes in which everything that matters to lines is common. */
const contents = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('\n', '\r\n', '\r', '\n\n', ' ', '\t', 'a', 'bc', 'GET / HTTP/1.1') },
      fc.constantFrom('\0', '\ufeff', 'é', '€', '😀', '\u2028', '\u0085'),
      fc.uint8Array({ maxLength: 3 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part as string))))

const cuts = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 40 })

function inBlocks(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const blocks: Buffer[] = []
  let at = 0
  for (const size of sizes) {
    if (at >= bytes.length) break
    blocks.push(bytes.subarray(at, at + size))
    at += size
  }
  if (at < bytes.length) blocks.push(bytes.subarray(at))
  return blocks
}

describe('LineCutter', () => {
  it('needs no bytes any more once it has given all their lines', () => {
    const cutter = new LineCutter()
    const block = Buffer.from('one\ntwo\nth')
    cutter.push(block)
    while (cutter.next() !== undefined);
    block.fill(0)
    equal(String(cutter.lastBytes()), 'one\ntwo\n')
    cutter.push(Buffer.from('ree\n'))
    equal(cutter.next()?.text, 'three')
    equal(String(cutter.lastBytes()), 'one\ntwo\nthree\n')
  })

  it('ends lines at LF and drops one CR before it', () => {
    deepEqual(textsOf('a\nb\r\nc\r\r\nd'), ['a', 'b', 'c\r', 'd'])
  })

  it('takes a lone CR, U+2028 and U+0085 for text', () => {
    deepEqual(textsOf('a\rb\u2028c\u0085d\n'), ['a\rb\u2028c\u0085d'])
  })

  it('tells line numbers and byte offsets, not those of characters', () => {
    deepEqual(cut([Buffer.from('é€\n\nx\n')]).lines, [
      { text: 'é€', line: 1, offset: 0, fault: undefined },
      { text: 'x', line: 3, offset: 7, fault: undefined },
    ])
  })

  it('gives a last line that lacks its LF, and says so', () => {
    const { lines, cutter } = cut([Buffer.from('a\nb')])
    deepEqual(
      lines.map((line) => line.text),
      ['a', 'b'],
    )
    equal(cutter.isPartial, true)
    equal(cut([Buffer.from('a\nb\n')]).cutter.isPartial, false)
  })

  it('counts lines of blanks and gives none of them', () => {
    const { lines, cutter } = cut([Buffer.from('\n \t\r\na\n\r\n  ')])
    deepEqual(
      lines.map((line) => line.text),
      ['a'],
    )
    deepEqual(cutter.counts, { read: 5, blank: 4, invalidUtf8: 0 })
  })

  it('leaves a byte order mark out of the first line, and only there', () => {
    deepEqual(textsOf('\ufeffa\n\ufeffb\n', { isFileStart: true }), ['a', '\ufeffb'])
    deepEqual(textsOf('\ufeffa\n'), ['\ufeffa'])
  })

  it('finds a byte order mark that comes byte by byte', () => {
    const bytes = [...Buffer.from('\ufeffa\n')].map((byte) => Buffer.from([byte]))
    deepEqual(cut(bytes, { isFileStart: true }).lines, [{ text: 'a', line: 1, offset: 0, fault: undefined }])
  })

  for (const [malformed, texts, faults] of [
    ['escape', ['a\\xe9', 'b', '\\xff\\xfe'], []],
    ['replace', ['a\ufffd', 'b', '\ufffd\ufffd'], []],
    ['reject', ['a\ufffd', 'b', '\ufffd\ufffd'], [1, 3]],
  ] as const) {
    it(`X12: counts lines that are not UTF-8, which are to be ${malformed}d, and keeps their bytes`, () => {
      const bytes = Buffer.from([0x61, 0xe9, 0x0a, 0x62, 0x0a, 0xff, 0xfe, 0x0a])
      const { lines, cutter } = cut([bytes], { malformed })
      deepEqual(
        lines.map((line) => line.text),
        texts,
      )
      deepEqual(
        lines.flatMap(({ fault, line }) => (fault === undefined ? [] : [line])),
        faults,
      )
      deepEqual([lines[0]?.raw, lines[1]?.raw], ['a\\xe9', undefined])
      equal(cutter.counts.invalidUtf8, 2)
    })
  }

  it('refuses a line with a NUL byte, and says where', () => {
    const { lines } = cut([Buffer.from('ok\nab\0c\nok\n')])
    deepEqual(
      lines.map((line) => line.fault),
      [undefined, 'NUL byte at column 3', undefined],
    )
  })

  it('gives a line over the limit once, with its first kilobyte and its length', () => {
    const long = 'x'.repeat(1_234_567)
    const { lines } = cut(inBlocks(Buffer.from(`a\n${long}\r\nb\n`), Array(40).fill(65_536)), {
      maxLineBytes: 1_000_000,
    })
    deepEqual(lines, [
      { text: 'a', line: 1, offset: 0, fault: undefined },
      { text: 'x'.repeat(1024), line: 2, offset: 2, fault: 'line of 1,234,567 bytes, limit 1,000,000' },
      { text: 'b', line: 3, offset: 1_234_571, fault: undefined },
    ])
  })

  it('cuts no character of a long line in two', () => {
    const [line] = cut([Buffer.from(`x${'é'.repeat(1000)}\n`)], { maxLineBytes: 1500 }).lines
    equal(line?.text, `x${'é'.repeat(511)}`)
  })

  it('does not count the line end against the limit', () => {
    deepEqual(
      cut([Buffer.from('abc\r\nabcd\n')], { maxLineBytes: 3 }).lines.map((line) => line.fault),
      [undefined, 'line of 4 bytes, limit 3'],
    )
  })

  it('gives no line that begins at its end or after it', () => {
    const bytes = Buffer.from('aa\nbb\ncc\n')
    deepEqual(textsOf(bytes, { until: 6 }), ['aa', 'bb'])
    deepEqual(textsOf(bytes, { until: 4 }), ['aa', 'bb'])
    deepEqual(textsOf(bytes, { until: 3 }), ['aa'])
  })

  it('takes the bare end of a line that was given before for no line at all', () => {
    const { lines, cutter } = cut([Buffer.from('\r\nb\n')], { offset: 10, line: 3, isRest: true })
    deepEqual(lines, [{ text: 'b', line: 4, offset: 12, fault: undefined }])
    equal(cutter.counts.read, 1)
  })

  it('refuses the rest of a line that was given before', () => {
    const { lines } = cut([Buffer.from('rest\nb\n')], { offset: 10, line: 3, isRest: true })
    deepEqual(
      lines.map(({ text, line, fault }) => [text, line, fault !== undefined]),
      [
        ['rest', 3, true],
        ['b', 4, false],
      ],
    )
  })

  it('gives what a straightforward reading of the rules gives', () => {
    fc.assert(
      fc.property(contents, fc.integer({ min: 1, max: 20 }), (bytes, maxLineBytes) => {
        const { lines, cutter } = cut([bytes], { maxLineBytes, isFileStart: true })
        const expected = reference(bytes, maxLineBytes)
        // Of a line over the limit the text may end before a broken last character.
        const comparable = (line: Line) => (line.fault?.startsWith('line of') ? { ...line, text: '' } : line)
        deepEqual(lines.map(comparable), expected.lines.map(comparable))
        const { blank, invalidUtf8 } = expected
        deepEqual(cutter.counts, { read: lines.length + blank, blank, invalidUtf8 })
      }),
      { numRuns: times(500) },
    )
  })

  it('gives the same lines however the bytes are cut into blocks', () => {
    fc.assert(
      fc.property(contents, cuts, fc.integer({ min: 1, max: 20 }), (bytes, sizes, maxLineBytes) => {
        const options = { maxLineBytes, isFileStart: true }
        const whole = cut([bytes], options)
        const inParts = cut(inBlocks(bytes, sizes), options)
        deepEqual(inParts.lines, whole.lines)
        deepEqual(inParts.cutter.counts, whole.cutter.counts)
        equal(inParts.cutter.offset, bytes.length)
      }),
      { numRuns: times(500) },
    )
  })

  it('remembers the bytes before its place', () => {
    fc.assert(
      fc.property(contents, cuts, fc.nat(20), (part, sizes, count) => {
        const bytes = Buffer.concat([Buffer.from('before\n'.repeat(50)), part])
        const cutter = new LineCutter({ maxLineBytes: 15 })
        let left = count
        for (const block of inBlocks(bytes, [...Array(30).fill(11), ...sizes])) {
          cutter.push(block)
          while (left > 0 && cutter.next() !== undefined) left -= 1
          if (left === 0) break
          while (cutter.next() !== undefined) {}
        }
        const { offset } = cutter
        ok(cutter.lastBytes().equals(bytes.subarray(Math.max(0, offset - 256), offset)))
      }),
    )
  })

  it('knows the bytes before its place when the memory of its last block is already used again', () => {
    const cutter = new LineCutter()
    const block = Buffer.from('one\ntwo\n')
    cutter.push(block)
    while (cutter.next() !== undefined);
    block.fill(0)
    equal(String(cutter.lastBytes()), 'one\ntwo\n')
  })
})
