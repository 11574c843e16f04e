import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePartId, partId, WHOLE } from './range.ts'

describe('partId', () => {
  it('names all of a file by its path, and a part by its range', () => {
    equal(partId('/a', WHOLE), '/a')
    equal(partId('/a', { from: 0, to: 100 }), '/a#0-100')
    equal(partId('/a', { from: 100, to: Number.POSITIVE_INFINITY }), '/a#100-Infinity')
  })

  it('is taken apart again, of a path with any characters', () => {
    for (const path of ['/a', '/a#0-100', '/a#0-100\nb', '/a#', '/a#5-Infinity']) {
      for (const range of [WHOLE, { from: 300, to: 400 }, { from: 7, to: Number.POSITIVE_INFINITY }]) {
        deepEqual(parsePartId(partId(path, range)), { path, range })
      }
    }
  })
})
