// Detects the delimiter of a CSV file.

import type { Dialect } from './dialect.ts'
import { fieldCutter } from './fields.ts'

/** The candidates, the commonest first. */
const CANDIDATES = [',', ';', '\t', '|'] as const

/**
 * The delimiter that most of these records contain equally often; `,` if no candidate splits the first one.
 *
 * @param cut - the first records of a file, split by a dialect
 */
export function tellDelimiter(
  dialect: Omit<Dialect, 'delimiter'>,
  cut: (dialect: Dialect) => readonly string[],
): string {
  let best: { delimiter: string; share: number; count: number } = { delimiter: ',', share: 0, count: 1 }
  for (const delimiter of CANDIDATES) {
    const tried = { ...dialect, delimiter }
    const fieldsOf = fieldCutter(tried)
    const counts = cut(tried).map((text) => {
      const fields = fieldsOf(text)
      return Array.isArray(fields) ? fields.length : 0
    })
    const count = counts[0] ?? 0
    if (count < 2) continue
    const share = counts.filter((one) => one === count).length / counts.length
    if (share > best.share || (share === best.share && count > best.count)) best = { delimiter, share, count }
  }
  return best.delimiter
}
