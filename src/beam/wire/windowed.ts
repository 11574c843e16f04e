// Elements as they travel between an engine and its workers: a value in windows, at a time.

import type { ByteReader } from './bytes.ts'
import type { Coder } from './coders.ts'

/** An event time in milliseconds: of 64 bits, as the ends of time do not fit a double. */
export type BeamTime = bigint

/** A window from `end - size` up to `end`, exclusive. */
export interface IntervalWindow {
  readonly end: BeamTime
  readonly size: bigint
}

/** The window of all times. */
export type GlobalWindow = 'global'

/** What an engine hands to a worker, and takes from it. */
export interface Windowed<T, W> {
  readonly value: T
  readonly time: BeamTime
  readonly windows: readonly W[]
  /** Which firing of the window it belongs to, as the engine wrote it: passed on as it came. */
  readonly pane: Uint8Array
}

/** Before any firing. */
export const NO_FIRING: Uint8Array = Uint8Array.of(0x0f)

/** So that later times have larger bytes. */
const SIGN = 1n << 63n

export const timeCoder: Coder<BeamTime> = {
  write: (time, to) => to.uint64(BigInt.asUintN(64, time ^ SIGN)),
  read: (from) => BigInt.asIntN(64, from.uint64() ^ SIGN),
}

export const globalWindowCoder: Coder<GlobalWindow> = { write: () => {}, read: () => 'global' }

export const intervalWindowCoder: Coder<IntervalWindow> = {
  write({ end, size }, to) {
    timeCoder.write(end, to)
    to.varint(size)
  },
  read: (from) => ({ end: timeCoder.read(from), size: from.varint() }),
}

export function windowedCoder<T, W>(of: Coder<T>, window: Coder<W>): Coder<Windowed<T, W>> {
  return {
    write({ value, time, windows, pane }, to) {
      timeCoder.write(time, to)
      to.int32(windows.length)
      for (const one of windows) window.write(one, to)
      to.bytes(pane)
      of.write(value, to)
    },
    read(from) {
      const time = timeCoder.read(from)
      const windows: W[] = []
      for (let left = from.int32(); left > 0; left -= 1) windows.push(window.read(from))
      const pane = readPane(from)
      return { value: of.read(from), time, windows, pane }
    },
  }
}

/** The high half of its first byte says whether one or two numbers follow. */
function readPane(from: ByteReader): Uint8Array {
  const start = from.at
  const numbers = from.byte() >> 4
  if (numbers > 0) from.varint()
  if (numbers > 1) from.varint()
  return from.since(start)
}
