// Runs the stages of a pipeline in this thread.

import { Acknowledgements } from '../../engine/acknowledgements.ts'
import { assemble } from '../../engine/assemble.ts'
import { InFlight } from '../../engine/in-flight.ts'
import { Run } from '../../stage/run.ts'
import { begin, link } from '../../stage/subscribe.ts'
import { type Engaged, type EngineOptions, IN_FLIGHT, ONE_AT_A_TIME } from './engine.ts'

export async function inline(options: EngineOptions): Promise<Engaged> {
  const { topology, taker, clock, account, beginning, ledger, signal } = options
  const inFlight = new InFlight(beginning.isCareful ? ONE_AT_A_TIME : IN_FLIGHT)
  const acknowledgements = new Acknowledgements()
  const { layers, links, sources, outputs, placed } = assemble(topology, {
    clock,
    account,
    inFlight,
    epochs: { beginning, ledger, acknowledgements },
  })
  const out = outputs.map(({ stage }) => inFlight.watch(link(taker, stage, inFlight.demand)))
  const run = new Run([...layers, [taker]], { signal })
  // From the bottom up: no stage gives anything before those below it have asked.
  begin([...out, ...links.toReversed()])
  return {
    done: run.done.finally(() => acknowledgements.close()),
    threads: 0,
    takingMs: () => 0,
    figures: (layer) => placed.filter((one) => one.layer === layer).map((one) => one.work()),
    tell: (command) => {
      if (command.kind === 'committed') return acknowledgements.committed(command.epoch)
      for (const source of sources) if (source.isOpen) source.notify(command)
    },
    async cancel(reason) {
      await run.cancel(reason)
      await acknowledgements.close()
    },
  }
}
