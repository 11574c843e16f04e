// Bytes in blocks: what files, streams and decompressors give, and cutters and decompressors take.

/** Bytes from front to back. One call at a time. */
export interface Blocks {
  /** The next bytes, never none; undefined at the end. They may be overwritten as soon as `read` is called again. */
  read(): Promise<Buffer | undefined>
  /** How many bytes were taken of what is stored: for a compressed file those of the file, not of its content. */
  readonly takenBytes: number
  /** Lets go of what is held, but for a descriptor: that belongs to whoever opened it. Twice does no harm. */
  close(): void
}

/** Awaits `work`, or fails with the signal's reason as soon as that is aborted; `work` is then left to itself. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
