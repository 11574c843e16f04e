// What a schema says of a value that it refuses, in one line.

import type { StandardSchemaV1 } from '@standard-schema/spec'

/** The reasons with their places in the value: `status: Too big`. */
export function reasonsOf(issues: readonly StandardSchemaV1.Issue[]): string {
  const reasons = issues.map(({ message, path }) => {
    const place = path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return place === undefined || place === '' ? message : `${place}: ${message}`
  })
  return reasons.join('; ') || 'refused without a reason'
}
