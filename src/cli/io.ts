// Where a command reads from and writes to: handed in, so that tests see what a person would.

/** A stream that is written to, and what is known of who reads it. */
export interface Out {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  /** Writes, and waits until it is taken. @throws {SluiceError} OUTPUT_CLOSED, STORAGE_FAILED */
  put?(text: string): Promise<void>
}

/** Writes much: no faster than it is read, and nothing more once nobody reads on. */
export async function put(out: Out, text: string): Promise<void> {
  if (out.put === undefined) out.write(text)
  else await out.put(text)
}

export interface Io {
  readonly stdout: Out
  readonly stderr: Out
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Whether colours and redrawn lines are welcome on a stream. */
export function isLively(out: Out, env: Io['env']): boolean {
  return out.isTTY === true && env.TERM !== 'dumb' && env.CI === undefined
}

/** Whether colours are welcome on a stream: see https://no-color.org. */
export function hasColour(out: Out, env: Io['env']): boolean {
  return isLively(out, env) && (env.NO_COLOR ?? '') === ''
}
