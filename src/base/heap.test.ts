import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Heap } from './heap.ts'

describe('Heap', () => {
  it('gives what it holds in order, also between pushes', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer())), (moves) => {
        const heap = new Heap<number>((a, b) => a < b)
        const held: number[] = []
        for (const move of moves) {
          if (move === null) equal(heap.pop(), held.shift())
          else {
            heap.push(move)
            held.push(move)
            held.sort((a, b) => a - b)
          }
          equal(heap.peek(), held[0])
          equal(heap.size, held.length)
        }
      }),
    )
  })

  it('keeps the order of what it retains', () => {
    const heap = new Heap<number>((a, b) => a < b)
    for (const n of [5, 2, 4, 1, 3]) heap.push(n)
    heap.retain((n) => n % 2 === 1)
    deepEqual([heap.pop(), heap.pop(), heap.pop(), heap.pop()], [1, 3, 5, undefined])
  })
})
