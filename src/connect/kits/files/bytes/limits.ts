// Limits on what compressed data may become: a few kilobytes can stand for gigabytes.

import { SluiceError } from '../../../../base/errors.ts'
import { quotePath } from '../errors.ts'

export interface Limits {
  /** The most bytes per compressed byte, averaged over the file so far; {@link MAX_RATIOS} if undefined. */
  readonly maxRatio?: number | undefined
  /** The most bytes of one compressed file's content. */
  readonly maxTotalBytes: number
  /** The option that raises the limit, for the error: `maxRatio` by default. */
  readonly option?: string
}

/**
 * More than any log reaches, and less than a bomb. With gzip, logs reach 100 to 1, zeros 1,000 to 1; with zstd,
 * repetitive logs reach 500 to 1, zeros 30,000 to 1.
 */
export const MAX_RATIOS: Readonly<Record<'gzip' | 'zstd', number>> = { gzip: 200, zstd: 2000 }

export const DEFAULT_LIMITS: Limits = { maxTotalBytes: Number.POSITIVE_INFINITY }

/** How many bytes came out of how many. */
export interface Grown {
  readonly encoding: keyof typeof MAX_RATIOS
  readonly inBytes: number
  readonly outBytes: number
}

/** Harmless at any ratio: a small file that repeats one line is not a bomb. */
const HARMLESS_BYTES = 16 * 1024 * 1024

/**
 * Rejects content that exceeds a limit.
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
