// From stored bytes to content.

import { unreachable } from '../../../../base/invariant.ts'
import type { Blocks } from './blocks.ts'
import type { Encoding } from './encoding.ts'
import { GzipBlocks } from './gzip-blocks.ts'
import type { Limits } from './limits.ts'
import { ZstdBlocks } from './zstd-blocks.ts'

/** The content of encoded bytes; `path` is for errors. */
export function decode(encoding: Encoding, stored: Blocks, path: string, limits: Limits): Blocks {
  switch (encoding) {
    case 'plain':
      return stored
    case 'gzip':
      return new GzipBlocks(stored, path, limits)
    case 'zstd':
      return new ZstdBlocks(stored, path, limits)
    default:
      return unreachable(encoding)
  }
}
