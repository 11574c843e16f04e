import { equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseDecimal } from '../../kits/decimal.ts'
import { writeNumeric } from './numeric.ts'
import { Output } from './output.ts'

/** Reads the server's form back, as a number to some power of ten. */
function read(out: Output, from: number): { text: string; length: number } {
  const view = out.bytes.subarray(from)
  const count = view.readInt16BE(4)
  const weight = view.readInt16BE(6)
  let sum = 0n
  for (let i = 0; i < count; i += 1) sum = sum * 10_000n + BigInt(view.readInt16BE(12 + i * 2))
  const exponent = (weight - count + 1) * 4
  return { text: `${view.readInt16BE(8) === 0x4000 ? '-' : ''}${sum}e${exponent}`, length: view.readInt32BE(0) + 4 }
}

describe('writeNumeric', () => {
  it('writes what stands for the same number, and says how long it is', () => {
    const numbers = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.bigInt())
    fc.assert(
      fc.property(numbers, (value) => {
        const out = new Output()
        const from = out.at
        writeNumeric(out, parseDecimal(value))
        const { text, length } = read(out, from)
        equal(out.at - from, length)
        if (typeof value === 'number') equal(Number(text) + 0, value + 0)
        else
          equal(text.replace(/e(\d+)$/, (_, zeros) => '0'.repeat(Number(zeros))).replace(/^-?0+$/, '0'), String(value))
      }),
    )
  })
})
