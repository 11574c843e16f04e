// Standard input, as read by the thread that has its split: this one, or a worker.

import { createReadStream, fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { isatty, ReadStream } from 'node:tty'
import { isMainThread } from 'node:worker_threads'

export interface StandardInput {
  readonly stream: Readable
  /** Releases it: nothing more is read from it, and it keeps no process alive. */
  readonly release: () => Promise<void>
}

const DESCRIPTOR = 0

export function openStandardInput(): StandardInput {
  if (isMainThread) {
    holdProcess(true)
    return { stream: process.stdin, release: async () => holdProcess(false) }
  }
  // A worker's `process.stdin` is what its parent writes to it: nothing.
  const stream = ofDescriptor()
  return { stream, release: async () => void stream.destroy() }
}

/** Whether open standard input keeps the process alive. */
function holdProcess(isHeld: boolean): void {
  const { stdin } = process
  // Redirected from a file it is not a socket, and keeps nothing alive.
  if (!('unref' in stdin)) return
  if (isHeld) stdin.ref()
  else stdin.unref()
}

/**
 * A separate stream over the descriptor, which stays open when the stream is destroyed: a later attempt continues
 * there.
 */
function ofDescriptor(): Readable {
  if (isatty(DESCRIPTOR)) return new ReadStream(DESCRIPTOR)
  const found = fstatSync(DESCRIPTOR)
  // Read as a file, a pipe with a silent writer would block the worker when it is to end.
  if (found.isFIFO() || found.isSocket()) return new Socket({ fd: DESCRIPTOR, readable: true, writable: false })
  return createReadStream('', { fd: DESCRIPTOR, autoClose: false })
}
