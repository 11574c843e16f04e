// The flow of readings, wherever they come from: checked, deduplicated, in °F, summed up by sensor and window.

import { count, type Duration, early, type Flow, max, mean, min, quantile, tumbling } from 'sluice'
import { z } from 'zod'

/** A reading as sensors send it. A house has no 100 °C: a sensor that says so is broken. */
export const reading = z.object({
  sensor: z.string().min(1).max(100),
  /** Epoch milliseconds, by the sensor's clock. */
  at: z.number().int(),
  celsius: z.number().min(-60).max(85),
  humidity: z.number().min(0).max(100).nullable(),
})
export type Reading = z.infer<typeof reading>

/** What is known of a sensor in one window; null if no reading says it. */
export interface Climate {
  readonly sensor: string
  /** The window, in epoch milliseconds. */
  readonly start: number
  readonly end: number
  /** False for results before the window's end. */
  readonly isFinal: boolean
  readonly readings: number
  readonly meanF: number | null
  readonly minF: number | null
  readonly maxF: number | null
  readonly p95F: number | null
  readonly meanHumidity: number | null
  readonly maxHumidity: number | null
}

const MILLION = 1_000_000

export const fahrenheitOf = (celsius: number): number => (celsius * 9) / 5 + 32

/** @param late - how far behind the latest reading of all sensors others may be: `30s` */
export function climate(readings: Flow<unknown>, window: Duration, late: Duration): Flow<Climate> {
  const time = { outOfOrderness: late, maxOpen: MILLION }
  return (
    readings
      .validate(reading)
      // A reading that is sent twice counts once; the memory of it ends with its window.
      .window(tumbling(window, 'at', time))
      .uniq('sensor', 'at')
      .derive('fahrenheit', ['celsius'], fahrenheitOf)
      .keyBy('sensor')
      .window(tumbling(window, 'at', { ...time, triggers: [early('15s')] }))
      .aggregate({
        readings: count(),
        meanF: mean('fahrenheit'),
        minF: min('fahrenheit'),
        maxF: max('fahrenheit'),
        p95F: quantile('fahrenheit', 0.95),
        meanHumidity: mean('humidity'),
        maxHumidity: max('humidity'),
      })
      .derive('isFinal', ['isLast'], (isLast) => isLast === true)
      .select({
        sensor: 'sensor',
        start: 'windowStart',
        end: 'windowEnd',
        isFinal: 'isFinal',
        readings: 'readings',
        meanF: 'meanF',
        minF: 'minF',
        maxF: 'maxF',
        p95F: 'p95F',
        meanHumidity: 'meanHumidity',
        maxHumidity: 'maxHumidity',
      })
  )
}
