// Sensors of an imaginary house: what they measure, and how it arrives: with gaps, late, doubled, and broken.

import type { Reading } from './climate.ts'

export interface HouseOptions {
  readonly sensors: number
  /** Between two readings of a sensor, in its own milliseconds. */
  readonly everyMs: number
  /** The first reading's time, in epoch milliseconds. */
  readonly startMs: number
  /** The same house for the same seed. */
  readonly seed: number
}

/** A message as a sensor sends it. */
export interface Sent {
  readonly sensor: string
  /** JSON, mostly. */
  readonly body: string
}

/** How often each happens, among all readings. */
const GAP = 0.01
const DOUBLED = 0.02
const LATE = 0.03
const BROKEN = 0.002
/** A late reading comes at most this many rounds later; a gap is as long. */
const ROUNDS = 4

/**
 * What all sensors send, round by round, without end. A sensor drifts away from the truth, falls silent for a while, sends
 * a reading twice, holds one back, or sends one that says nothing.
 */
export function* house({ sensors, everyMs, startMs, seed }: HouseOptions): Generator<Sent[]> {
  const random = randomOf(seed)
  const all = Array.from({ length: sensors }, (_, at) => ({
    sensor: `s${`${at + 1}`.padStart(3, '0')}`,
    celsius: 15 + 10 * random(),
    drift: (random() - 0.5) * 0.01,
    silentUntil: 0,
  }))
  const held = new Map<number, Sent[]>()
  for (let round = 0; ; round += 1) {
    const sent = held.get(round) ?? []
    held.delete(round)
    for (const [index, one] of all.entries()) {
      // Each has its own moment within the round.
      const at = startMs + round * everyMs + Math.floor((index * everyMs) / sensors)
      const hour = (at % 86_400_000) / 3_600_000
      const celsius = one.celsius + 3 * Math.sin(((hour - 9) / 12) * Math.PI) + one.drift * round + random() * 0.4
      const reading: Reading = {
        sensor: one.sensor,
        at,
        celsius: Math.round(celsius * 100) / 100,
        humidity: index % 10 === 9 ? null : Math.round((50 + 10 * Math.cos(hour) + random() * 5) * 10) / 10,
      }
      const chance = random()
      const body = random() < BROKEN ? broken(reading, random()) : JSON.stringify(reading)
      if (round < one.silentUntil) continue
      if (chance < GAP) one.silentUntil = round + 1 + Math.floor(random() * ROUNDS)
      else if (chance < GAP + LATE) {
        const later = round + 1 + Math.floor(random() * ROUNDS)
        held.set(later, [...(held.get(later) ?? []), { sensor: one.sensor, body }])
      } else {
        sent.push({ sensor: one.sensor, body })
        if (chance > 1 - DOUBLED) sent.push({ sensor: one.sensor, body })
      }
    }
    yield sent
  }
}

/** An invalid reading: cut off, or from a broken sensor. */
function broken(reading: Reading, chance: number): string {
  return chance < 0.5 ? JSON.stringify(reading).slice(0, 20) : JSON.stringify({ ...reading, celsius: 999.9 })
}

/** Numbers from 0 to 1, by the method of Park and Miller. */
function randomOf(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return (state - 1) / 2_147_483_646
  }
}
