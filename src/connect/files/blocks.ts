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
