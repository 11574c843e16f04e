// Limits on what compressed data may become: a few kilobytes can stand for gigabytes.

import { SluiceError } from '../../../../base/errors.ts'
import { quotePath } from '../errors.ts'

export interface Limits {
  /** Most bytes that one compressed byte may become, on the average of the file so far; {@link MAX_RATIOS} if undefined. */
  readonly maxRatio?: number | undefined
  /** Most bytes that one compressed file may become. */
  readonly maxTotalBytes: number
  /** The option that lets more through, for the error: `maxRatio` by default. */
  readonly option?: string
}

/**
 * What no log reaches, and a bomb is over. By gzip logs reach 100 to 1, zeros 1,000 to 1; by zstd logs that repeat themselves
 * reach 500 to 1, zeros 30,000 to 1.
 */
export const MAX_RATIOS: Readonly<Record<'gzip' | 'zstd', number>> = { gzip: 200, zstd: 2000 }

export const DEFAULT_LIMITS: Limits = { maxTotalBytes: Number.POSITIVE_INFINITY }

/** How much came out of how much. */
export interface Grown {
  readonly encoding: keyof typeof MAX_RATIOS
  readonly inBytes: number
  readonly outBytes: number
}

/** What is no danger at any ratio: a small file of one line repeated is no bomb. */
const HARMLESS_BYTES = 16 * 1024 * 1024

/**
 * Refuses content that has grown over a limit.
 *
 * @throws {SluiceError} SOURCE_LIMIT
 */
export function checkLimits(path: string, limits: Limits, { encoding, inBytes, outBytes }: Grown): void {
  const { maxRatio = MAX_RATIOS[encoding], option = 'maxRatio' } = limits
  if (outBytes > limits.maxTotalBytes) {
    const found = `its content is over ${limits.maxTotalBytes} bytes (maxTotalBytes)`
    throw limitError(path, found, { source: path, limit: limits.maxTotalBytes, found: outBytes })
  }
  if (outBytes <= HARMLESS_BYTES || outBytes <= maxRatio * inBytes) return
  const found = `${inBytes} bytes of it became ${outBytes}, over ${maxRatio} to 1 (${option})`
  throw limitError(path, found, { source: path, limit: maxRatio, found: Math.floor(outBytes / inBytes) })
}

function limitError(path: string, found: string, details: { source: string; limit: number; found: number }): Error {
  return new SluiceError('SOURCE_LIMIT', `Cannot read ${quotePath(path)}: ${found}`, details)
}
