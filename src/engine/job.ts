// A module that describes what is run: every thread that runs a part of it imports it, and must find the same.

import { SluiceError } from '../base/errors.ts'
import { isFlow } from '../flow/is-flow.ts'
import { layOut } from '../flow/layout.ts'
import type { PlanNode } from '../flow/plan.ts'
import type { Topology } from '../flow/topology.ts'

/** Where to find a flow or a pipeline, and how it is laid out. */
export interface Job {
  /** The module's URL. */
  readonly module: string
  /** The name under which it is exported. */
  readonly name: string
  /** Of a pipeline: the parameters as text. */
  readonly params?: ReadonlyMap<string, string>
  /** The module whose `layOutJob` makes a topology of it, as package.json names it: this one for a flow. */
  readonly laidOutBy: string
}

/** What a module named by `laidOutBy` exports. */
export interface JobLayout {
  layOutJob(job: Job, stages: number): Promise<Topology>
}

/** Layers of a flow. */
export const FLOW_LAYOUT = '#flow-layout'

export const layOutJob: JobLayout['layOutJob'] = async (job, stages) => layOut(await loadJob(job), { stages })

/**
 * Imports the module, and returns its flow's last node.
 *
 * @throws {SluiceError} FLOW_MISMATCH if it exports no flow of this name
 */
export async function loadJob(job: Job): Promise<PlanNode> {
  return (await importFrom(job, 'flow', isFlow)).node
}

/** Imports the module, and returns its export with the job's name. */
export async function importFrom<T>(
  { module, name }: Job,
  what: 'flow' | 'pipeline',
  isOne: (value: unknown) => value is T,
): Promise<T> {
  const exported = (await import(module)) as Record<string, unknown>
  const found = exported[name]
  if (isOne(found)) return found
  const all = Object.keys(exported).filter((key) => isOne(exported[key]))
  const others = all.length === 0 ? `no ${what} at all` : all.join(', ')
  const message = `Cannot run ${module}: it exports no ${what} as ${name}, but ${others}`
  throw new SluiceError('FLOW_MISMATCH', message, { module, found: others })
}
