import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { early, every, interval, late, onMark } from './trigger.ts'
import { countWindow, globalWindow, processingTime, session, sliding, tumbling, type WindowSpec } from './window.ts'

const at = (event: { readonly at: number }): number => event.at

describe('windows', () => {
  it('T18: are plain data with all that was not said filled in', () => {
    deepEqual(tumbling('1m', at, { offset: '90s', allowedLateness: '5s', triggers: [late()] }), {
      kind: 'tumbling',
      at,
      sizeMs: 60_000,
      offsetMs: 30_000,
      emptyWindows: 0,
      triggers: [{ kind: 'late' }],
      panes: 'accumulate',
      maxOpen: 1_000_000,
      allowedLatenessMs: 5000,
      outOfOrdernessMs: 0,
      idleAfterMs: undefined,
      futureLimitMs: 86_400_000,
    })
    deepEqual(globalWindow(), { kind: 'global', triggers: [], panes: 'accumulate', maxOpen: 1_000_000 })
    deepEqual(tumbling(1, at, { futureLimit: Number.POSITIVE_INFINITY }).futureLimitMs, Number.POSITIVE_INFINITY)
  })

  it('T18: that name no event type go with any', () => {
    const specs: WindowSpec<string>[] = [globalWindow(), countWindow(3), processingTime('1s')]
    const narrow: WindowSpec<{ at: number; more: string }> = tumbling('1s', at)
    deepEqual([...specs, narrow].length, 4)
  })

  const refused: readonly [what: string, make: () => unknown, error: RegExp][] = [
    ['a size of nothing', () => tumbling(0, at), /size of tumbling must be whole milliseconds, 1 or more: found 0/],
    [
      'an at that is no function',
      () => tumbling(1, 7 as never),
      /at of tumbling must be a function, or the name of a field: found 7/,
    ],
    [
      'a time zone',
      () => sliding(2, 1, at, { timeZone: 'Europe/Berlin' } as never),
      /sliding has no option timeZone: its windows lie in UTC\. For days of a place/,
    ],
    ['an unknown option', () => tumbling(1, at, { lateness: 1 } as never), /tumbling has no option lateness/],
    ['gaps between windows', () => sliding('1s', '2s', at), /every of sliding must be no more than its size/],
    [
      'a limit below the gap',
      () => session('2s', at, { maxLength: '1s' }),
      /maxLength of session must be .*2000 or more/,
    ],
    ['windows of no event', () => countWindow(0), /events of countWindow must be an integer, 1 or more/],
    ['a wrong mode', () => globalWindow({ panes: 'all' as never }), /panes of globalWindow must be one of/],
    ['a limit of nothing', () => globalWindow({ maxOpen: 0 }), /maxOpen of globalWindow/],
    ['invalid triggers', () => globalWindow({ triggers: [{}] as never }), /triggers of globalWindow must be made by/],
    ['one trigger alone', () => globalWindow({ triggers: every(1) as never }), /must be an array: found Object/],
    [
      'early without event time',
      () => countWindow(1, { triggers: [early(1)] }),
      /countWindow cannot have the trigger early/,
    ],
    [
      'early as long as the window',
      () => tumbling(5, at, { triggers: [early(5)] }),
      /must be less than its size, 5 ms/,
    ],
    [
      'two early triggers',
      () => tumbling(5, at, { triggers: [early(1), early(2)] }),
      /takes one early trigger: found 2/,
    ],
    ['an endless row of empty windows', () => tumbling(1, at, { emptyWindows: Infinity }), /emptyWindows of tumbling/],
    ['an idle time of nothing', () => tumbling(1, at, { idleAfter: 0 }), /idleAfter of tumbling/],
    ['every of nothing', () => every(0), /events of every must be an integer, 1 or more: found 0/],
    ['an interval of nothing', () => interval('0s'), /duration of interval/],
    ['a mark without a name', () => onMark(''), /name of onMark must be a text: found ""/],
  ]
  for (const [what, make, error] of refused) it(`T18: refuse ${what}`, () => throws(make, error))
})
