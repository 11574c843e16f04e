// How a bundle failed: as a text for the engine, which shows it to people, with everything that the submitter needs.

import { messageOf } from '../../base/errors.ts'
import { failedBy, failureOf } from '../../engine/threads/failure.ts'
import type { Failure } from '../../engine/threads/message.ts'

/** A bundle that failed, with what its operators know of it. */
export class BundleFailed extends Error {
  override readonly name: string = 'BundleFailed'
  readonly failure: Failure

  constructor(failure: Failure, cause: unknown) {
    super(messageOf(cause), { cause })
    this.failure = failure
  }
}

/** Engines quote the text among others of their own: this is found in all of it. */
const MARK = /\[sluice ([\w-]+)\]/

export function failureText(error: unknown): string {
  const failure = error instanceof BundleFailed ? error.failure : failureOf(error, NOTHING_KNOWN)
  const packed = Buffer.from(JSON.stringify(failure)).toString('base64url')
  return `${failure.error.message}\n${failure.error.stack ?? ''}\n[sluice ${packed}]`
}

const NOTHING_KNOWN = { failedCall: undefined, readError: undefined }

/** The error that a worker has told, in whatever an engine says; undefined if it was not a worker's. */
export function failureIn(text: string): Error | undefined {
  const packed = MARK.exec(text)?.[1]
  if (packed === undefined) return undefined
  const failure = JSON.parse(Buffer.from(packed, 'base64url').toString('utf8')) as Failure
  return failedBy('A worker', 0, failure)
}
