// Where a command reads from and writes to: handed in, so that tests see what a person would.

/** A stream that is written to, and what is known of who reads it. */
export interface Out {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  once?(event: 'drain', listener: () => void): unknown
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
