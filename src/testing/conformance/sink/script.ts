// A sink in a random order of everything that can be done with it.

import { below, seededRandom } from '../../random.ts'
import { newLetter, type SinkDesk } from './desk.ts'

export async function script<Row>(desk: SinkDesk<Row>, seed: number): Promise<void> {
  const random = seededRandom(seed)
  let written = 0
  const next = (): number => {
    written += 1
    return written % 17
  }
  const newState = (): Uint8Array => Uint8Array.from({ length: below(4, random) }, () => below(256, random))
  try {
    for (let steps = 0; steps < 25; steps += 1) {
      const kind = below(10, random)
      if (kind < 4) await desk.write(...Array.from({ length: 1 + below(5, random) }, next))
      else if (kind < 6) await desk.writeDeadLetters(...Array.from({ length: 1 + below(3, random) }, () => newLetter()))
      else if (kind < 8) {
        const positions = { [`split ${below(3, random)}`]: steps }
        await desk.book({ positions, states: { [`part ${below(3, random)}`]: newState() } })
      } else if (kind === 8) await desk.close()
      else await desk.reopen()
    }
    await desk.reopen()
    await desk.settle()
    await desk.checkRows()
    await desk.checkLetters()
  } catch (error) {
    throw new Error(`seed ${seed}: ${error}`, { cause: error })
  }
}
