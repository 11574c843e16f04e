// Error codes of a Kafka server.

import { messageOf } from '../../base/errors.ts'

/** Codes of the protocol that matter here. */
export const CODE = {
  none: 0,
  outOfRange: 1,
  corrupt: 2,
  leaderNotAvailable: 5,
  tooLarge: 10,
  batchTooLarge: 18,
  invalidTimestamp: 32,
  invalidRecord: 87,
} as const

/** A partition has moved, or has no leader for now: the servers are asked again. */
const MOVED: ReadonlySet<number> = new Set([3, 5, 6, 8, 9, 56, 72, 74, 75, 78, 100, 103])
/** Not permitted, or impossible. */
const FOR_GOOD: ReadonlySet<number> = new Set([17, 29, 30, 31, 33, 34, 35, 54, 58, 76])
const NAMES: Readonly<Record<number, string>> = {
  1: 'the offset is out of range',
  3: 'there is no such topic or partition',
  5: 'the partition has no leader',
  7: 'the servers timed out',
  10: 'the record is too large',
  17: 'the name of the topic is invalid',
  18: 'the records are too large',
  19: 'too few replicas are available',
  20: 'too few replicas have it',
  22: 'other consumers of the group are running (ILLEGAL_GENERATION)',
  25: 'other consumers of the group are running (UNKNOWN_MEMBER_ID)',
  29: 'the user may not use the topic',
  30: 'the user may not use the group',
  31: 'the user may not use the cluster',
  32: 'the timestamp of the record is not allowed',
  33: 'it does not support this SASL mechanism',
  35: 'it speaks another version of the protocol',
  58: 'user or password are wrong',
  87: 'the topic rejects the record',
}

/** An answer that reports an error. */
export class KafkaError extends Error {
  readonly code: number

  constructor(code: number, what: string) {
    super(`${what}: ${NAMES[code] ?? `error ${code}`}`)
    this.code = code
  }
}

export function hasMoved(code: number): boolean {
  return MOVED.has(code)
}

/** Whether a retry may help. */
export function mayPass(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    const { code, apiCode } = one as Error & { readonly code?: unknown; readonly apiCode?: unknown }
    if (FOR_GOOD.has(Number(code)) || FOR_GOOD.has(Number(apiCode))) return false
    // Of the client: wrong credentials, TLS required, or another SASL mechanism.
    if (code === 'PLT_KFK_AUTHENTICATION' || code === 'PLT_KFK_USER') return false
    for (const inner of one instanceof AggregateError ? one.errors : []) if (!mayPass(inner)) return false
  }
  return true
}

/** An error of the client with its cause in the message: its own only says that something failed. */
export function kafkaErrorOf(error: unknown): Error {
  const texts: string[] = []
  const collect = (one: unknown): void => {
    if (!(one instanceof Error)) return
    const { apiCode } = one as Error & { readonly apiCode?: unknown }
    const text = typeof apiCode === 'number' ? (NAMES[apiCode] ?? messageOf(one)) : messageOf(one)
    if (text !== '' && !texts.includes(text)) texts.push(text)
    for (const inner of one instanceof AggregateError ? one.errors : []) collect(inner)
    collect(one.cause)
  }
  collect(error)
  return error instanceof KafkaError ? error : new Error(texts.slice(0, 3).join(': ').slice(0, 300), { cause: error })
}
