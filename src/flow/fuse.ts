// The steps of a layer, with runs of stateless operators fused into one loop.

import type { MakeStep, Making } from './step.ts'
import { each } from './steps/each.ts'
import type { Each } from './steps/each-loop.ts'
import type { Placed } from './topology.ts'

/**
 * Makers of the steps of one stage.
 *
 * @example
 * const [layer] = layOut(flow([1]).map((n) => n + 1).filter((n) => n > 1).node, { stages: 1 }).last
 * layer?.work.kind === 'steps' && fuse(layer.work.steps).length // => 1
 */
export function fuse(steps: readonly Placed[]): Making[] {
  const makes: Making[] = []
  let run: Each[] = []
  const endRun = (): void => {
    if (run.length > 0) makes.push({ make: each(run) })
    run = []
  }
  for (const step of steps) {
    if (step.each !== undefined) run.push(step.each)
    else {
      endRun()
      makes.push({ id: step.id, make: accusing(step.name, step.make) })
    }
  }
  endRun()
  return makes
}

/** A step that names itself when one of its functions throws. */
function accusing(name: string, make: MakeStep): MakeStep {
  return (next, context) => {
    const step = make(next, context)
    const { events, watermark, end = () => {} } = step
    const guard =
      <A extends unknown[]>(call: (...args: A) => void) =>
      (...args: A): void => {
        try {
          call.apply(step, args)
        } catch (error) {
          context.recordFailure(name, undefined)
          throw error
        }
      }
    return Object.assign(step, { events: guard(events), watermark: guard(watermark), end: guard(end) })
  }
}
