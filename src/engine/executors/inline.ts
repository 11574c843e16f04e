// Runs all stages in this thread.

import type { Execution, Executor, Work } from '../executor.ts'
import { LocalGate } from '../gate.ts'
import { InFlight } from '../in-flight.ts'
import { Share } from '../share.ts'

export const inline: Executor = { stages: 1, start }

async function start({ topology, inFlight, signal, ...work }: Work): Promise<Execution> {
  signal?.throwIfAborted()
  const gate = work.epochs === undefined ? { gate: new LocalGate(topology) } : {}
  const share = new Share(topology, { ...work, ...gate, signal, inFlight: new InFlight(inFlight) })
  return {
    done: share.done,
    threads: 0,
    placeOf: () => 0,
    takingMs: () => 0,
    figures: (layer) => share.figures(layer),
    drain: () => share.drain(),
    tell: (command) => share.tell(command),
    cancel: (reason) => share.cancel(reason),
  }
}
