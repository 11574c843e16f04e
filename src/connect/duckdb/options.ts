// How much memory DuckDB may take, as an option.

import { optionInvalid } from '../kits/config.ts'

const AMOUNT = /^(\d{1,9}(?:\.\d{1,3})?) ?(M|G|T)i?B$/i
const LEAST_MB = 16
const MEGABYTES: Readonly<Record<string, number>> = { M: 1, G: 1000, T: 1_000_000 }

/**
 * @throws {SluiceError} CONFIG_INVALID if it is not an amount, or too little to open a database with
 */
export function checkMemory(of: string, memory: unknown): asserts memory is string {
  const found = typeof memory === 'string' ? AMOUNT.exec(memory) : null
  const megabytes = Number(found?.[1]) * (MEGABYTES[found?.[2]?.toUpperCase() ?? ''] ?? 0)
  if (megabytes >= LEAST_MB) return
  throw optionInvalid(of, 'memory', memory, `an amount of ${LEAST_MB}MB or more, such as 256MB or 2GB`)
}
