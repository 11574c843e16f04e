// What a store holds after a commit, which tells only what has changed.

import type { Checkpoint } from '../connect/sink.ts'

export function mergedCheckpoint(before: Checkpoint | undefined, now: Checkpoint): Checkpoint {
  const positions = new Map([...(before?.positions ?? []), ...now.positions])
  const states = new Map([...(before?.states ?? []), ...now.states])
  for (const [part, bytes] of now.states) if (bytes.length === 0) states.delete(part)
  return { ...now, positions, states }
}
