import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { emptyRegisters, estimate, mergeRegisters, register, runOf } from './hyperloglog.ts'

describe('registers', () => {
  it('tell the leading zeros behind the first 14 bits, over both words', () => {
    equal(runOf(0xffff_ffff, 0), 0)
    equal(runOf(0xfffc_0001, 0), 17)
    equal(runOf(0xfffc_0000, 0x8000_0000), 18)
    equal(runOf(0, 1), 49)
    equal(runOf(0, 0), 50)
  })

  it('stand for nothing when empty, and for few values nearly exactly', () => {
    const registers = emptyRegisters()
    equal(estimate(registers), 0)
    for (let i = 0; i < 20; i += 1) register(registers, i)
    ok(Math.abs(estimate(registers) - 20) < 0.5)
  })

  it('do not fail when they are full', () => {
    equal(Number.isFinite(estimate(emptyRegisters().fill(50))), true)
    equal(estimate(emptyRegisters().fill(51)), Infinity)
  })

  it('merged, are those of all values', () => {
    const [one, two, both] = [emptyRegisters(), emptyRegisters(), emptyRegisters()]
    for (let i = 0; i < 30_000; i += 1) {
      register(i % 2 === 0 ? one : two, i)
      register(both, i)
    }
    mergeRegisters(one, two)
    deepEqual(one, both)
  })
})
