import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isSluiceError } from '../../../base/errors.ts'
import type { Position } from '../../source.ts'
import { parseTailPosition } from './place.ts'

const place = {
  path: '/log/app.log',
  name: '/log/app.log',
  number: 1,
  inode: '1:2',
  storedBytes: 0,
  changedMs: 1.5,
  prefixHash: '',
  tail: { bytes: 4, sha256: 'a' },
  offset: 4,
  line: 2,
  isPartial: false,
}
const position = { kind: 'tail', followed: [place], finished: [{ ...place, isPassed: false }], forgottenMs: { a: 1 } }

describe('parseTailPosition', () => {
  it('takes what a tail has given', () => {
    deepEqual(parseTailPosition('tail:a', position), position)
  })

  it('refuses what it has not given, with POSITION_LOST', () => {
    const broken: Position[] = [
      null,
      7,
      [],
      { kind: 'file' },
      { ...position, followed: {} },
      { ...position, followed: [{ ...place, offset: -1 }] },
      { ...position, followed: [{ ...place, tail: null }] },
      { ...position, followed: [{ ...place, tail: { bytes: 1e9, sha256: '' } }] },
      { ...position, finished: [place] },
      { ...position, forgottenMs: { a: 'b' } },
    ]
    for (const one of broken) {
      throws(
        () => parseTailPosition('tail:a', one),
        (error) => isSluiceError(error, 'POSITION_LOST'),
      )
    }
  })

  it('throws nothing else, whatever it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        throws(
          () => parseTailPosition('tail:a', value as Position),
          (error) => isSluiceError(error, 'POSITION_LOST'),
        )
      }),
    )
  })
})
