import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FinishedFiles } from './finished.ts'
import type { Finished } from './place.ts'

function finished(inode: number, changedMs: number, name = '/log/app.log'): Finished {
  return {
    path: `${name}.${inode}`,
    name,
    number: inode,
    inode: `1:${inode}`,
    storedBytes: 0,
    changedMs,
    prefixHash: '',
    tail: { bytes: 0, sha256: '' },
    offset: 1,
    line: 2,
    isPartial: false,
    isPassed: false,
  }
}

const inodes = (files: FinishedFiles): string[] => files.files.map(({ inode }) => inode)

describe('FinishedFiles', () => {
  it('forgets the oldest over the bound, and remembers how old it was', () => {
    const files = new FinishedFiles([finished(1, 10), finished(2, 20), finished(3, 30)])
    files.trim(2, 1000, () => false)
    deepEqual(inodes(files), ['1:2', '1:3'])
    deepEqual(files.forgottenMs, { '/log/app.log': 10 })
    ok(files.isForgotten('/log/app.log', 10))
    ok(!files.isForgotten('/log/app.log', 11))
    ok(!files.isForgotten('/log/other.log', 10))
  })

  it('does not forget what is needed', () => {
    const files = new FinishedFiles([finished(1, 10), finished(2, 20), finished(3, 30)])
    files.trim(1, 1000, ({ inode }) => inode === '1:1')
    deepEqual(inodes(files), ['1:1'])
  })

  it('hides nothing to come behind a file that says to be of the future', () => {
    const files = new FinishedFiles([finished(1, 9e12), finished(2, 20)])
    files.trim(1, 1000, () => false)
    deepEqual(files.forgottenMs, { '/log/app.log': 1000 })
  })

  it('leaves a position that was taken as it was', () => {
    const files = new FinishedFiles([finished(1, 10)])
    const taken = files.files
    files.add(finished(2, 20))
    files.trim(1, 1000, () => false)
    equal(taken.length, 1)
    equal(taken[0]?.inode, '1:1')
  })

  it('knows every file that it was given: by itself, or by its age', () => {
    const ages = fc.array(fc.nat(1000), { maxLength: 40 })
    fc.assert(
      fc.property(ages, fc.nat(10), (all, most) => {
        const files = new FinishedFiles()
        const sorted = all.toSorted((a, b) => a - b)
        for (const [i, changedMs] of sorted.entries()) {
          files.add(finished(i, changedMs))
          files.trim(most, 1e6, () => false)
        }
        ok(files.files.length <= most)
        for (const [i, changedMs] of sorted.entries()) {
          ok(files.ofInode(`1:${i}`) !== undefined || files.isForgotten('/log/app.log', changedMs))
        }
      }),
    )
  })
})
