import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Frames } from './frames.ts'

/** What becomes of blocks: texts, and faults behind their beginnings. */
function framesOf(blocks: readonly Uint8Array[], maxBytes = 2000, isClean = true): string[] {
  const frames = new Frames(maxBytes)
  const found: string[] = []
  const add = (frame: ReturnType<Frames['next']>): boolean => {
    if (frame === undefined) return false
    const text = Buffer.from(frame.bytes).toString('latin1')
    found.push(frame.fault === undefined ? text : `${text.slice(0, 10)} (${frame.fault})`)
    return true
  }
  for (const block of blocks) {
    frames.push(block)
    while (add(frames.next()));
  }
  add(frames.end({ isClean }))
  return found
}

/** Blocks of these many bytes, over and over. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const blocks: Uint8Array[] = []
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const to = at + (sizes[n % sizes.length] as number)
    blocks.push(bytes.subarray(at, to))
    at = to
  }
  return blocks
}

describe('Frames', () => {
  it('takes lines, and messages behind their length, mixed', () => {
    deepEqual(framesOf([Buffer.from('<1>a\r\n6 <2>\nb\n\n<3>c\n5 <4>d\n5 <5>e')]), [
      '<1>a',
      '<2>\nb\n',
      '<3>c',
      '<4>d\n',
      '<5>e (4 of 5 bytes came)',
    ])
  })

  it('takes a line that begins with a number for a line', () => {
    deepEqual(framesOf([Buffer.from('2003-10-11T22:14:15Z a b\n1234567890 x\n12')]), [
      '2003-10-11T22:14:15Z a b',
      '1234567890 x',
      '12',
    ])
  })

  it('keeps the beginning of what is too long, and goes on behind it', () => {
    const line = `<1>${'x'.repeat(5000)}\n<2>b\n`
    const counted = `5003 <1>${'x'.repeat(5000)}4 <2>b`
    for (const text of [line, counted]) {
      deepEqual(framesOf([Buffer.from(text)]), [
        '<1>xxxxxxx (a message of 5003 bytes: at most 2000 are accepted (maxBytes))',
        '<2>b',
      ])
    }
  })

  it('says of a line at the end of a connection whether that broke', () => {
    deepEqual(framesOf([Buffer.from('<1>a')], 2000, true), ['<1>a'])
    deepEqual(framesOf([Buffer.from('<1>a')], 2000, false), ['<1>a (the connection broke after 4 bytes)'])
  })

  it('finds the same messages however the bytes are cut into blocks', () => {
    const text = fc.stringMatching(/^[ -~]{0,60}$/)
    const message = fc.record({ text, isCounted: fc.boolean() })
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), sizes, (messages, blocks) => {
        const written = messages.map(({ text: one, isCounted }) => {
          const whole = `<7>${one}`
          return isCounted ? `${whole.length} ${whole}` : `${whole}\n`
        })
        deepEqual(
          framesOf(cut(Buffer.from(written.join('')), blocks)),
          messages.map(({ text: one }) => `<7>${one}`),
        )
      }),
    )
  })

  it('gives no more than is allowed of any bytes, however they are cut', () => {
    const bytes = fc.uint8Array({ maxLength: 300 })
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(bytes, sizes, fc.boolean(), (all, blocks, isClean) => {
        const found = framesOf(cut(all, blocks), 50, isClean)
        deepEqual(found, framesOf([all], 50, isClean))
        ok(found.every((one) => one.length <= 150))
      }),
    )
  })

  it('S12: takes little time and memory for what comes byte by byte', () => {
    const one = Buffer.from('x')
    const blocks = Array.from({ length: 60_000 }, () => one)
    const startMs = performance.now()
    equal(framesOf(blocks, 100_000)[0]?.length, 60_000)
    ok(performance.now() - startMs < 3000)
  })
})
