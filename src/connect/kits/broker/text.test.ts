import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rawOf, textOf, textsOf } from './text.ts'

describe('the text of bytes', () => {
  it('R1: is exactly theirs, or undefined', () => {
    equal(textOf(Buffer.from('\ufeffa\ufffd\0')), '\ufeffa\ufffd\0')
    equal(textOf(Buffer.from([0xc3])), undefined)
    equal(textOf(Buffer.from([0xed, 0xa0, 0x80])), undefined)
    equal(rawOf(Buffer.from([0x5c, 0xc3, 0xa9, 0xff])), '\\\\é\\xff')
  })

  it('R2: of one that is not UTF-8 throws where it is read, and nowhere else', () => {
    const texts = textsOf(
      [
        ['a', Buffer.from('1')],
        ['__proto__', Buffer.from('2')],
        ['b', Buffer.of(0xff)],
      ],
      'field',
    )
    deepEqual(Object.keys(texts), ['a', '__proto__', 'b'])
    deepEqual([texts.a, Object.getOwnPropertyDescriptor(texts, '__proto__')?.value], ['1', '2'])
    throws(() => texts.b, { name: 'TypeError', message: 'field "b" is not UTF-8: found the byte \\xff in \\xff' })
  })
})
