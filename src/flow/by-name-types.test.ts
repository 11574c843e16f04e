import { describe, it } from 'node:test'
import { collect } from '../aggregate/collect.ts'
import { count } from '../aggregate/count.ts'
import { countDistinct } from '../aggregate/count-distinct.ts'
import { first, last } from '../aggregate/first-last.ts'
import { largest } from '../aggregate/largest-smallest.ts'
import { mean } from '../aggregate/mean.ts'
import { max, min } from '../aggregate/min-max.ts'
import { quantile } from '../aggregate/quantile.ts'
import { sum } from '../aggregate/sum.ts'
import { topK } from '../aggregate/top-k.ts'
import type { PaneWindow } from '../window/pane.ts'
import { countWindow, globalWindow, session, sliding, tumbling } from '../window/window.ts'
import type { Flow } from './flow.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Of<F> = F extends Flow<infer T, unknown> ? T : never
type Why = { readonly trigger?: string; readonly isLast?: boolean }

interface Reading {
  readonly sensor: string
  readonly at: number
  readonly celsius: number | null
  readonly room?: string
  readonly tags: string[]
  readonly bytes: bigint
  readonly note: string | null
}
declare const readings: Flow<Reading>

/** Compiled, and never called. */
function compiled(): void {
  const windowed = readings
    .where('celsius', '>', -90)
    .derive('fahrenheit', ['celsius'], (celsius) => celsius * 1.8 + 32)
    .keyBy('sensor')
    .window(tumbling('1m', 'at', { outOfOrderness: '10s' }))
    .aggregate({ n: count(), fahrenheit: mean('fahrenheit'), worst: max('celsius') })
  const several = readings.keyBy('sensor', 'room').aggregate({ n: count(), mean: mean((r) => r.celsius) })
  const byFunction = readings.keyBy((r) => r.sensor).aggregate({ n: count(), mean: mean('celsius') })
  const renamed = readings
    .select({ s: 'sensor', t: 'at', r: 'room' })
    .where('s', 'in', ['a'])
    .where('r', 'is not', null)
  const derived = readings.derive('x', ['sensor', 'at'], (sensor, at) => sensor.length + at).select('x', 'at')
  const counted = readings.keyBy('sensor').window(countWindow(3)).aggregate({ n: count() })
  const whole = readings.keyBy('sensor').window(globalWindow()).aggregate({ n: count() })
  const timed = readings
    .keyBy('sensor')
    .window(tumbling('1m', (r) => r.at))
    .aggregate({ n: count() })
  const keyless = readings.window(sliding('1h', '1m', 'at')).aggregate({ n: count() })
  const nested = readings
    .keyBy((r) => r.sensor)
    .window(session('30m', 'at'))
    .aggregate({ n: count() })
  const all = readings.aggregate({
    least: min('sensor'),
    total: sum('celsius'),
    big: sum('bytes'),
    p: quantile('celsius', 0.5),
    ps: quantile('at', [0.5, 0.9]),
    top: topK(3, 'note'),
    great: largest(2, 'celsius'),
    sensors: countDistinct('sensor'),
    tags: collect('tags'),
    head: first('room'),
    tail: last('celsius', { at: 'at' }),
  })
  const rooms: Flow<{ readonly room: string; readonly floor: number }> = readings.map(() => ({ room: 'a', floor: 1 }))
  const joined = readings.join(rooms, { on: ['room'], mode: 'left' })
  const inner = readings.join(rooms, { on: ['room'], window: globalWindow() })
  const grouped = readings.groupBy('sensor', 'celsius')
  const kept = readings.partition({ key: 'sensor', stages: 2 }).partition({ key: ['sensor', 'at'] })
  const batched = readings.batch({ size: 2, key: 'sensor' }).mapAsync(async (batch) => batch.length)
  const looked = readings.enrich({ key: 'room', lookup: (room) => room.length, into: ({ at }, n) => ({ at, n }) })
  const words = readings.split('note', ' ')
  const unique = readings.uniq('sensor', 'at').uniq('at', { maxKeys: 10 })
  const sorted = readings.sort('at').top(3, 'celsius')
  const same: readonly true[] = [
    true satisfies Same<
      Omit<Of<typeof windowed>, 'trigger' | 'isLast'>,
      {
        readonly sensor: string
        readonly windowStart: number
        readonly windowEnd: number
        readonly n: number
        readonly fahrenheit: number | null
        readonly worst: number | null
      }
    >,
    true satisfies Same<
      Of<typeof several>,
      { readonly sensor: string; readonly room: string; readonly n: number; readonly mean: number | null }
    >,
    true satisfies Same<
      Of<typeof byFunction>,
      { readonly key: string; readonly n: number; readonly mean: number | null }
    >,
    true satisfies Same<Of<typeof renamed>['r'], string>,
    true satisfies Same<Of<typeof derived>, { x: number; readonly at: number }>,
    true satisfies Same<Of<typeof counted>['windowIndex'], number>,
    true satisfies Same<keyof Of<typeof whole>, 'sensor' | 'n' | keyof Why>,
    true satisfies Same<Of<typeof timed>['windowStart'], number>,
    true satisfies Same<Of<typeof keyless>['windowEnd'], number>,
    true satisfies Same<Of<typeof nested>['window'], PaneWindow<'session'>>,
    true satisfies Same<
      Of<typeof all>,
      {
        readonly least: string | null
        readonly total: number
        readonly big: bigint | 0
        readonly p: number | null
        readonly ps: (number | null)[]
        readonly top: { readonly value: string | null; readonly count: number; readonly error: number }[]
        readonly great: Reading[]
        readonly sensors: number
        readonly tags: string[][]
        readonly head: string | null
        readonly tail: number | null
      }
    >,
    true satisfies Same<Of<typeof joined>['floor'], number | null>,
    true satisfies Same<Of<typeof joined>['room'], string>,
    true satisfies Same<Of<typeof inner>['floor'], number>,
    true satisfies Same<Of<typeof grouped>, [string, (number | null)[]]>,
    true satisfies Same<Of<typeof kept>, Reading>,
    true satisfies Same<Of<typeof batched>, number>,
    true satisfies Same<Of<typeof looked>, { at: number; n: number }>,
    true satisfies Same<Of<typeof words>['note'], string>,
    true satisfies Same<Of<typeof unique>, Reading>,
    true satisfies Same<Of<typeof sorted>, Reading>,
  ]
  const anything: Flow<unknown> = windowed
  void [same, anything]
  // @ts-expect-error: no such field
  readings.where('celcius', '>', 1)
  // @ts-expect-error: a number is compared with numbers
  readings.where('celsius', '>', 'x')
  // @ts-expect-error: null is asked for by `is`
  readings.where('celsius', '=', null)
  // @ts-expect-error: no such comparison
  readings.where('celsius', 'like', 1)
  // @ts-expect-error: no such field
  readings.derive('x', ['celcius'], (c) => c)
  // @ts-expect-error: no such field
  readings.keyBy('senzor').aggregate({ n: count() })
  // @ts-expect-error: an array is no key
  readings.keyBy('tags').aggregate({ n: count() })
  // @ts-expect-error: a text has no mean
  readings.keyBy('sensor').aggregate({ m: mean('sensor') })
  // @ts-expect-error: no such field
  readings.keyBy('sensor').aggregate({ m: mean('celcius') })
  // @ts-expect-error: the row has a field of this name
  readings.keyBy('sensor').aggregate({ sensor: count() })
  // @ts-expect-error: no such field
  readings.keyBy('sensor').window(tumbling('1m', 'att')).aggregate({ n: count() })
  // @ts-expect-error: a text is no time
  readings.keyBy('sensor').window(tumbling('1m', 'sensor')).aggregate({ n: count() })
  // @ts-expect-error: not a duration
  readings.keyBy('sensor').window(tumbling('1 minute', 'at')).aggregate({ n: count() })
  // @ts-expect-error: the row has a field of this name
  readings.keyBy('sensor').window(tumbling('1m', 'at')).aggregate({ windowStart: count() })
  // @ts-expect-error: no such field
  readings.select('sensor', 'nope')
  // @ts-expect-error: no such field
  readings.select({ a: 'nope' })
  // @ts-expect-error: arrays have no order
  readings.keyBy('sensor').aggregate({ m: max('tags') })
  // @ts-expect-error: arrays have no order
  readings.sort('tags')
  // @ts-expect-error: no such field
  readings.uniq('senzor')
  // @ts-expect-error: a number is not split
  readings.split('at', ',')
  // @ts-expect-error: both have the field `at`
  readings.join(readings.select('sensor', 'at'), { on: ['sensor'] })
  // @ts-expect-error: the other side has no such field
  readings.join(rooms, { on: ['sensor'] })
  // @ts-expect-error: no such field
  readings.partition({ key: 'senzor' })
  // @ts-expect-error: no such field to tell the time
  readings.aggregate({ tail: last('celsius', { at: 'sensor' }) })
}

describe('the types of fields by name', () => {
  it('L102: follow from the row, and refuse names that it lacks', () => void compiled)
})
