import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ByteReader, ByteWriter } from './bytes.ts'
import { coderOf } from './coder-of.ts'
import {
  booleanCoder,
  bytesCoder,
  type Coder,
  doubleCoder,
  iterableCoder,
  kvCoder,
  lengthPrefixCoder,
  textCoder,
  varintCoder,
} from './coders.ts'
import { globalWindowCoder, intervalWindowCoder, NO_FIRING, timeCoder, windowedCoder } from './windowed.ts'

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

describe('the coders of elements', () => {
  it('read what they wrote, and no more', () => {
    const check = <T>(coder: Coder<T>, values: fc.Arbitrary<T>): void =>
      fc.assert(
        fc.property(values, (value) => {
          const reader = new ByteReader(Buffer.concat([written(coder, value), Buffer.from('rest')]))
          deepEqual(coder.read(reader), value)
          equal(reader.bytes(4).toString(), 'rest')
        }),
      )
    const bytes = fc.uint8Array().map((array) => Buffer.from(array))
    const text = fc.string({ unit: 'grapheme' })
    check(bytesCoder, bytes)
    check(textCoder, text)
    check(varintCoder, int64)
    check(booleanCoder, fc.boolean())
    check(doubleCoder, fc.double())
    check(kvCoder(varintCoder, iterableCoder(textCoder)), fc.tuple(int64, fc.array(text)))
    check(lengthPrefixCoder(kvCoder(textCoder, doubleCoder)), fc.tuple(text, fc.double()))
    check(timeCoder, int64)
    const window = fc
      .tuple(int64, fc.bigInt({ min: 0n }))
      .map(([end, size]) => ({ end, size: BigInt.asUintN(62, size) }))
    const windowed = { value: text, time: int64, pane: fc.constant(NO_FIRING) }
    check(
      windowedCoder(textCoder, intervalWindowCoder),
      fc.record({ ...windowed, windows: fc.array(window) }, { noNullPrototype: true }),
    )
    const global = fc.array(fc.constant('global' as const))
    check(
      windowedCoder(textCoder, globalWindowCoder),
      fc.record({ ...windowed, windows: global }, { noNullPrototype: true }),
    )
  })

  it('keep the ends of time, which no double holds', () => {
    const end = 9223371950454775n
    equal(timeCoder.read(new ByteReader(written(timeCoder, end))), end)
    deepEqual([...written(timeCoder, 0n)], [0x80, 0, 0, 0, 0, 0, 0, 0])
  })

  it('read groups in blocks, whose end is told by an empty one', () => {
    const writer = new ByteWriter()
    writer.int32(-1)
    writer.varint(2)
    for (const text of ['a', 'b']) writer.text(text)
    writer.varint(1)
    writer.text('c')
    writer.varint(0)
    deepEqual(iterableCoder(textCoder).read(new ByteReader(writer.take())), ['a', 'b', 'c'])
  })

  it('refuse a group whose rest is kept by the engine', () => {
    const writer = new ByteWriter()
    writer.int32(-1)
    writer.varint(-1)
    throws(() => iterableCoder(textCoder).read(new ByteReader(writer.take())), /rest of it must be asked for/)
  })

  it('pass on the firing of a window as it came', () => {
    for (const pane of [[0x0f], [0x05], [0x14, 3], [0x26, 200, 1, 4]]) {
      const coder = windowedCoder(textCoder, globalWindowCoder)
      const element = { value: 'x', time: 7n, windows: ['global' as const], pane: Uint8Array.from(pane) }
      deepEqual(coder.read(new ByteReader(written(coder, element))), element)
    }
  })

  it('do not read past the end', () => {
    const bytes = written(textCoder, 'seven')
    for (let length = 0; length < bytes.length; length += 1) {
      throws(() => textCoder.read(new ByteReader(bytes.subarray(0, length))), RangeError)
    }
    throws(() => varintCoder.read(new ByteReader(Buffer.alloc(11, 0xff))), /more than ten bytes/)
  })

  it('are made of what an engine describes, and refuse what they do not know', () => {
    const specs = new Map([
      ['pair', { urn: 'beam:coder:kv:v1', components: ['text', 'number'] }],
      ['text', { urn: 'beam:coder:string_utf8:v1', components: [] }],
      ['number', { urn: 'beam:coder:varint:v1', components: [] }],
      ['row', { urn: 'beam:coder:row:v1', components: [] }],
    ])
    const pair = coderOf('pair', (id) => specs.get(id))
    deepEqual(pair.read(new ByteReader(written(pair, ['a', 3n]))), ['a', 3n])
    throws(() => coderOf('row', (id) => specs.get(id)), /does not know beam:coder:row:v1/)
  })
})

function written<T>(coder: Coder<T>, value: T): Buffer {
  const writer = new ByteWriter(1)
  coder.write(value, writer)
  return writer.take()
}
