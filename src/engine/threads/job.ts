// The module of a flow that runs on threads: each of them imports it, and must find the same flow.

import { SluiceError } from '../../base/errors.ts'
import { isFlow } from '../../flow/is-flow.ts'
import type { PlanNode } from '../../flow/plan.ts'

/** Where a flow is found. */
export interface Job {
  /** The module's URL. */
  readonly module: string
  /** The name under which it is exported. */
  readonly name: string
  /** Of a pipeline: the texts that its parameters were given. */
  readonly params?: ReadonlyMap<string, string>
}

/**
 * Imports the module, and gives its flow's last node.
 *
 * @throws {SluiceError} FLOW_MISMATCH if it exports no flow of this name
 */
export async function loadJob({ module, name }: Job): Promise<PlanNode> {
  const exported = (await import(module)) as Record<string, unknown>
  const found = exported[name]
  if (isFlow(found)) return found.node
  const flows = Object.keys(exported).filter((key) => isFlow(exported[key]))
  const others = flows.length === 0 ? 'no flow at all' : flows.join(', ')
  throw new SluiceError('FLOW_MISMATCH', `Cannot run ${module}: it exports no flow as ${name}, but ${others}`, {
    module,
    found: others,
  })
}
