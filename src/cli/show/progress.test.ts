import { equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { NO_TOTALS } from '../../connect/totals.ts'
import { Rate } from '../../observe/rate.ts'
import type { Progress } from '../../pipeline/report.ts'
import { progressLine } from './progress.ts'

const PROGRESS: Progress = {
  pipeline: 'orders',
  doneBytes: 45_000_000,
  totalBytes: 100_000_000,
  read: 1_234_567,
  dead: 12,
  elapsedMs: 10_000,
  committed: NO_TOTALS,
  epoch: 3,
  split: 'a.log',
}

function rateOf(perSecond: number): Rate {
  const rate = new Rate()
  rate.update(0, 0)
  rate.update(perSecond, 1000)
  return rate
}

function line(progress: Partial<Progress> = {}, columns = 200, hasColour = false): string {
  const [events, bytes] = [rateOf(100_000), rateOf(5_000_000)]
  return progressLine({ progress: { ...PROGRESS, ...progress }, events, bytes, columns, hasColour })
}

describe('progressLine', () => {
  it('shows share, bytes, events, dead letters, rates and the time left', () => {
    equal(
      line(),
      'orders  ███████░░░░░░░░░  45 %  45.0 MB of 100.0 MB  1,234,567 events  12 dead  100,000/s  5.0 MB/s  11.0 s left',
    )
  })

  it('shows no share where nobody knows how much there is', () => {
    equal(line({ totalBytes: undefined, dead: 0 }), 'orders  45.0 MB  1,234,567 events  100,000/s  5.0 MB/s')
  })

  it('shows nothing to read as all done, and never more than all', () => {
    ok(line({ doneBytes: 0, totalBytes: 0 }).includes('100 %'))
    ok(line({ doneBytes: 101e6 }).includes('100 %'))
  })

  it('keeps what tells the most where the terminal is narrow', () => {
    equal(line({}, 80), 'orders  ███████░░░░░░░░░  45 %  12 dead  100,000/s  5.0 MB/s  11.0 s left')
    equal(line({}, 40), '45 %  12 dead  100,000/s  11.0 s left')
    equal(line({}, 12), '45 %')
  })

  it('fits into any terminal, with one column to spare, in colour or not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 250 }),
        fc.string({ maxLength: 80 }),
        fc.boolean(),
        (columns, name, colour) => {
          ok(stripVTControlCharacters(line({ pipeline: name }, columns, colour)).length < columns)
        },
      ),
    )
  })
})
