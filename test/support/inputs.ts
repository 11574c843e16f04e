// Input for loads that faults are done to: lines that are told apart, some of them bad.

import { writeFileSync } from 'node:fs'

export interface InputOptions {
  readonly lines: number
  /** Every so many lines one that becomes a dead letter: 100 by default. */
  readonly badEvery?: number
  /** How much longer lines are than they need be. */
  readonly padding?: number
  /** The number of the first line. */
  readonly from?: number
}

/** Numbered lines, as text. */
export function numbered({ lines, badEvery = 100, padding = 0, from = 0 }: InputOptions): string {
  const pad = padding === 0 ? '' : ` ${'x'.repeat(padding)}`
  const line = (_: unknown, index: number): string => {
    const n = from + index
    return `${n % badEvery === badEvery - 1 ? 'bad' : 'line'} ${n}${pad}\n`
  }
  return Array.from({ length: lines }, line).join('')
}

export function writeNumbered(path: string, options: InputOptions): void {
  writeFileSync(path, numbered(options))
}
