// Limits on what compressed data may become: a few kilobytes can stand for gigabytes.

import { SluiceError } from '../../base/errors.ts'
import { quotePath } from './trouble.ts'

export interface Limits {
  /** Most bytes that one compressed byte may become, on the average of the file so far. */
  readonly maxRatio: number
  /** Most bytes that one compressed file may become. */
  readonly maxTotalBytes: number
}

/** Logs as they are reach 100 to 1, a file of zeros 1000 to 1. */
export const DEFAULT_LIMITS: Limits = { maxRatio: 200, maxTotalBytes: Number.POSITIVE_INFINITY }

/** What is no danger at any ratio: a small file of one line repeated is no bomb. */
const HARMLESS_BYTES = 16 * 1024 * 1024

/**
 * Refuses content that has grown over a limit: `outBytes` made of `inBytes`.
 *
 * @throws {SluiceError} SOURCE_LIMIT
 */
export function checkLimits(path: string, limits: Limits, inBytes: number, outBytes: number): void {
  if (outBytes > limits.maxTotalBytes) {
    const found = `its content is over ${limits.maxTotalBytes} bytes (maxTotalBytes)`
    throw limitError(path, found, { source: path, limit: limits.maxTotalBytes, found: outBytes })
  }
  if (outBytes <= HARMLESS_BYTES || outBytes <= limits.maxRatio * inBytes) return
  const found = `${inBytes} bytes of it became ${outBytes}, over ${limits.maxRatio} to 1 (maxRatio)`
  throw limitError(path, found, { source: path, limit: limits.maxRatio, found: Math.floor(outBytes / inBytes) })
}

function limitError(path: string, found: string, details: { source: string; limit: number; found: number }): Error {
  return new SluiceError('SOURCE_LIMIT', `Cannot read ${quotePath(path)}: ${found}`, details)
}
